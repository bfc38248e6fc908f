{{ config(**kept('int_fact_dates', 'as_of')) }}

{# What each member bought of each category in the RFM window before each as-of date. #}
with dates as (

    select
        as_of,
        made_from,
        {{ days_after('as_of', -(var('rfm_window_days') | int)) }} as window_start
    from ({{ partitions_to_make('int_fact_dates', 'as_of') }}) as missing_dates

)

select
    dates.as_of,
    days.customer_id,
    days.department,
    days.category,
    sum(days.spend) as spend,
    dates.made_from
from {{ ref('int_customer_category_days') }} as days
inner join dates on days.day_on < dates.as_of and days.day_on >= dates.window_start
group by dates.as_of, days.customer_id, days.department, days.category, dates.made_from
