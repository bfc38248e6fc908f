{# Orders with lines on several local days, a row a day: the only ones whose basket needs lines of another day. `order_hash`
   changes with any line of the order. They are found by number, which is several times faster than by their ids. #}
with long_baskets as (

    select {{ basket_number('order_lines') }} as basket_number
    from {{ ref('stg_order_lines') }} as order_lines
    where order_lines.is_counted
    group by {{ basket_number('order_lines') }}
    having min(order_lines.ordered_on) < max(order_lines.ordered_on)

),

long_lines as (

    select
        long_baskets.basket_number,
        order_lines.order_id,
        order_lines.customer_id,
        order_lines.ordered_on,
        order_lines.line_hash
    from {{ ref('int_order_lines') }} as order_lines
    inner join long_baskets on {{ basket_number('order_lines') }} = long_baskets.basket_number

),

orders as (

    select
        basket_number,
        {{ hash_sum('line_hash') }} as order_hash
    from long_lines
    group by basket_number

)

select distinct
    orders.basket_number,
    long_lines.order_id,
    long_lines.customer_id,
    long_lines.ordered_on,
    {{ row_hash(['orders.basket_number', 'orders.order_hash']) }} as order_hash
from orders
inner join long_lines on orders.basket_number = long_lines.basket_number
