{{ config(materialized='kept', by='day_on', inputs='int_order_days') }}

select
    order_lines.customer_id,
    order_lines.department,
    order_lines.category,
    {{ money_sum('order_lines.amount') }} as spend,
    days.day_on
from {{ ref('int_order_lines') }} as order_lines
{# Its days are named here: days can be too many for a filter from outside. #}
inner join {{ missing(ref('int_order_days')) }} as days on order_lines.ordered_on = days.day_on
where order_lines.is_merchandise
group by order_lines.customer_id, order_lines.department, order_lines.category, days.day_on
