{{ config(**kept('int_order_days', 'day_on')) }}

{# The day of a basket is the local date of its first line. All lines of an order lie on that day but for long orders. #}
with days as (

    {{ partitions_to_make('int_order_days', 'day_on') | indent(4) }}

),

basket_lines as (

    select
        order_lines.order_id,
        order_lines.customer_id,
        order_lines.ordered_at_local,
        order_lines.ordered_on,
        order_lines.amount
    from {{ ref('int_order_lines') }} as order_lines
    inner join days on order_lines.ordered_on = days.day_on
    left join {{ ref('int_long_orders') }} as long_orders
        on
            order_lines.order_id = long_orders.order_id
            and order_lines.customer_id = long_orders.customer_id
            and order_lines.ordered_on = long_orders.ordered_on
    where order_lines.is_merchandise and order_lines.is_positive and long_orders.order_id is null

    union all

    select
        order_lines.order_id,
        order_lines.customer_id,
        order_lines.ordered_at_local,
        order_lines.ordered_on,
        order_lines.amount
    from {{ ref('int_order_lines') }} as order_lines
    inner join {{ ref('int_long_orders') }} as long_orders
        on
            order_lines.order_id = long_orders.order_id
            and order_lines.customer_id = long_orders.customer_id
            and order_lines.ordered_on = long_orders.ordered_on
    where order_lines.is_merchandise and order_lines.is_positive

),

baskets as (

    select
        order_id,
        customer_id,
        min(ordered_on) as basket_on,
        min(ordered_at_local) as first_at_local,
        sum(amount) as positive_amount,
        count(*) as n_lines
    from basket_lines
    group by order_id, customer_id

)

select
    baskets.order_id,
    baskets.customer_id,
    baskets.basket_on,
    baskets.first_at_local,
    baskets.positive_amount,
    baskets.n_lines,
    days.made_from,
    days.day_on
from baskets
inner join days on baskets.basket_on = days.day_on
