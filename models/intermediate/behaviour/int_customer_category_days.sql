{{ config(**kept('int_order_days', 'day_on')) }}

with days as (

    {{ partitions_to_make('int_order_days', 'day_on') | indent(4) }}

)

select
    order_lines.customer_id,
    order_lines.department,
    order_lines.category,
    {{ money_sum('order_lines.amount') }} as spend,
    days.made_from,
    days.day_on
from {{ ref('int_order_lines') }} as order_lines
inner join days on order_lines.ordered_on = days.day_on
where order_lines.is_merchandise
group by order_lines.customer_id, order_lines.department, order_lines.category, days.made_from, days.day_on
