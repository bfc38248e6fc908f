{{ config(materialized='in_parts', by='as_of', dates='int_category_dates', sized_by='int_customer_category_days') }}

{# What each member bought of each category in the behaviour window before each as-of date. #}
select
    dates.as_of,
    days.customer_id,
    days.department,
    days.category,
    {{ money_sum('days.spend') }} as spend
from {{ ref('int_customer_category_days') }} as days
inner join {{ in_part(ref('int_category_dates')) }} as dates
    on days.day_on < dates.as_of and days.day_on >= dates.window_start_on
where days.customer_id is not null
group by dates.as_of, days.customer_id, days.department, days.category
