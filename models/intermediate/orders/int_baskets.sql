{{ config(materialized='kept', by='day_on', inputs='int_order_days') }}

{# What order_scope makes one of; nobody's where the order says no customer. The day of a basket is the local date of its first
   line; its time is null where no line of that day has one. #}
with days as (

    {# Its days are named here: an order over midnight is read from its other days too. #}
    select day_on from {{ missing(ref('int_order_days')) }}

),

days_to_read as (

    {{ days_of_whole_orders('days') | indent(4) }}

),

baskets as (

    select
        {{ basket_number('order_lines') }} as basket_number,
        order_lines.order_id,
        order_lines.customer_id,
        min(order_lines.ordered_on) as basket_on,
        min(order_lines.ordered_at_local) as first_at_local,
        {{ money_sum('order_lines.amount') }} as positive_amount,
        count(*) as n_lines
    from {{ ref('int_order_lines') }} as order_lines
    inner join days_to_read on order_lines.ordered_on = days_to_read.day_on
    where order_lines.is_merchandise and order_lines.is_positive
    group by {{ basket_number('order_lines') }}, order_lines.order_id, order_lines.customer_id

)

select
    baskets.basket_number,
    baskets.order_id,
    baskets.customer_id,
    baskets.basket_on,
    case when cast(baskets.first_at_local as date) = baskets.basket_on then baskets.first_at_local end as first_at_local,
    baskets.positive_amount,
    baskets.n_lines,
    days.day_on
from baskets
inner join days on baskets.basket_on = days.day_on
