{# Orders with lines on several local days, a row a day: the only ones whose basket needs lines of another day. `order_hash`
   changes with any line of the order. #}
with orders as (

    select
        order_id,
        customer_id,
        {{ hash_sum('line_hash') }} as order_hash
    from {{ ref('int_order_lines') }}
    group by order_id, customer_id
    having min(ordered_on) < max(ordered_on)

)

select distinct
    orders.order_id,
    orders.customer_id,
    order_lines.ordered_on,
    {{ row_hash(['orders.order_id', 'orders.customer_id', 'orders.order_hash']) }} as order_hash
from orders
inner join {{ ref('int_order_lines') }} as order_lines
    on orders.order_id = order_lines.order_id and orders.customer_id = order_lines.customer_id
