{{ config(materialized='kept', by='day_on', inputs='int_order_days') }}

{# Distinct items of each basket at each level, by hashed keys, with the local date on which the basket first held the item: an
   additive fact. A basket of nobody has no customer_number. #}
with days as (

    {# Its days are named here: an order over midnight is read from its other days too. #}
    select day_on from {{ missing(ref('int_order_days')) }}

),

days_to_read as (

    {{ days_of_whole_orders('days') | indent(4) }}

),

lines as (

    select
        {{ basket_number('order_lines') }} as basket_number,
        {{ customer_number_or_null('order_lines.customer_id') }} as customer_number,
        order_lines.ordered_on,
        order_lines.department,
        order_lines.category,
        order_lines.subcategory,
        order_lines.product_id
    from {{ ref('int_order_lines') }} as order_lines
    inner join days_to_read on order_lines.ordered_on = days_to_read.day_on
    where order_lines.is_merchandise and order_lines.is_positive

),

items as (

    {% for level in item_levels() %}
    select
        '{{ level }}' as item_level,
        basket_number,
        customer_number,
        {{ item_key(level, item_column(level)) }} as item_key,
        min(ordered_on) as bought_on
    from lines
    where {{ item_column(level) }} is not null
    group by basket_number, customer_number, {{ item_key(level, item_column(level)) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    items.item_level,
    items.basket_number,
    items.customer_number,
    items.item_key,
    items.bought_on,
    days.day_on
from items
inner join days on items.bought_on = days.day_on
