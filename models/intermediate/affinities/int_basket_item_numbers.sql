{{ config(**kept('int_order_days', 'day_on')) }}

{# Distinct items of each basket at each level, by hashed keys, with the local date on which the basket first held the item: an
   additive fact. Only an order over midnight can hold an item already. #}
{%- set levels = item_levels() -%}

with days as (

    {{ partitions_to_make('int_order_days', 'day_on') | indent(4) }}

),

lines as (

    select
        {{ basket_number('order_lines.order_id', 'order_lines.customer_id') }} as basket_number,
        {{ customer_number('order_lines.customer_id') }} as customer_number,
        order_lines.ordered_on,
        order_lines.department,
        order_lines.category,
        order_lines.subcategory,
        order_lines.product_id,
        days.made_from
    from {{ ref('int_order_lines') }} as order_lines
    inner join days on order_lines.ordered_on = days.day_on
    where order_lines.is_merchandise and order_lines.is_positive

),

long_lines as (

    select
        {{ basket_number('order_lines.order_id', 'order_lines.customer_id') }} as basket_number,
        order_lines.ordered_on,
        order_lines.department,
        order_lines.category,
        order_lines.subcategory,
        order_lines.product_id
    from {{ ref('int_order_lines') }} as order_lines
    inner join {{ ref('int_long_orders') }} as long_orders
        on
            order_lines.order_id = long_orders.order_id
            and order_lines.customer_id = long_orders.customer_id
            and order_lines.ordered_on = long_orders.ordered_on
    where order_lines.is_merchandise and order_lines.is_positive

),

items as (

    {% for level in levels %}
    select distinct
        '{{ level }}' as item_level,
        basket_number,
        customer_number,
        {{ item_key(level, item_column(level)) }} as item_key,
        ordered_on,
        made_from
    from lines
    where {{ item_column(level) }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

long_items as (

    {% for level in levels %}
    select
        basket_number,
        {{ item_key(level, item_column(level)) }} as item_key,
        min(ordered_on) as first_on
    from long_lines
    where {{ item_column(level) }} is not null
    group by basket_number, {{ item_key(level, item_column(level)) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    items.item_level,
    items.basket_number,
    items.customer_number,
    items.item_key,
    items.ordered_on as bought_on,
    items.made_from,
    items.ordered_on as day_on
from items
left join long_items
    on
        items.basket_number = long_items.basket_number
        and items.item_key = long_items.item_key
        and items.ordered_on > long_items.first_on
where long_items.basket_number is null
