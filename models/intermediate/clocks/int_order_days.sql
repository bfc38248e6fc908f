{# Each local day with order lines, and what its facts are made from: a hash of its lines, and of the whole of every order
   that reaches into it, so that a late or corrected line reopens its own day and those that share an order with it. #}
with line_days as (

    select
        ordered_on,
        count(*) as lines,
        {{ hash_sum('line_hash') }} as lines_hash
    from {{ ref('int_order_lines') }}
    group by ordered_on

),

long_order_days as (

    select
        ordered_on,
        {{ hash_sum('order_hash') }} as orders_hash
    from {{ ref('int_long_orders') }}
    group by ordered_on

)

select
    line_days.ordered_on as day_on,
    line_days.lines,
    {{ row_hash(['line_days.lines', 'line_days.lines_hash', 'long_order_days.orders_hash']) }} as made_from
from line_days
left join long_order_days on line_days.ordered_on = long_order_days.ordered_on
