{# Orders with lines on several local days, a row a day: the only ones whose basket needs lines of another day. `order_hash`
   changes with any line of the order. They are found by number, which is several times faster than by their ids. #}
with long_baskets as (

    select {{ basket_number('order_id', 'customer_id') }} as basket_number
    from {{ ref('stg_order_lines') }}
    group by {{ basket_number('order_id', 'customer_id') }}
    having min(ordered_on) < max(ordered_on)

),

long_lines as (

    select
        order_lines.order_id,
        order_lines.customer_id,
        order_lines.ordered_on,
        order_lines.line_hash
    from {{ ref('int_order_lines') }} as order_lines
    inner join long_baskets
        on {{ basket_number('order_lines.order_id', 'order_lines.customer_id') }} = long_baskets.basket_number

),

orders as (

    select
        order_id,
        customer_id,
        {{ hash_sum('line_hash') }} as order_hash
    from long_lines
    group by order_id, customer_id

)

select distinct
    orders.order_id,
    orders.customer_id,
    long_lines.ordered_on,
    {{ row_hash(['orders.order_id', 'orders.customer_id', 'orders.order_hash']) }} as order_hash
from orders
inner join long_lines on orders.order_id = long_lines.order_id and orders.customer_id = long_lines.customer_id
