{# What each member bought of each category in the RFM window before each as-of date. #}
with dates as (

    select
        as_of,
        {{ days_after('as_of', -(var('rfm_window_days') | int)) }} as window_start
    from {{ ref('int_category_dates') }}

)

select
    dates.as_of,
    days.customer_id,
    days.department,
    days.category,
    {{ money_sum('days.spend') }} as spend
from {{ ref('int_customer_category_days') }} as days
inner join dates on days.day_on < dates.as_of and days.day_on >= dates.window_start
where days.customer_id is not null
group by dates.as_of, days.customer_id, days.department, days.category
