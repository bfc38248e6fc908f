{# Distinct items of each basket at each level, all by number, with the local date: an additive fact. Whatever is counted
   from it by day, basket size and pair of items adds up over days. #}
{%- set levels = item_levels() -%}

with lines as (

    select
        numbers.basket_number,
        numbers.customer_number,
        order_lines.ordered_on,
        order_lines.department,
        order_lines.category,
        order_lines.subcategory,
        order_lines.product_id
    from {{ ref('int_order_lines') }} as order_lines
    inner join {{ ref('int_basket_numbers') }} as numbers
        on order_lines.order_id = numbers.order_id and order_lines.customer_id = numbers.customer_id
    where order_lines.is_merchandise and order_lines.is_positive

)

{% for level in levels %}
select
    items.item_level,
    lines.basket_number,
    lines.customer_number,
    items.item_number,
    min(lines.ordered_on) as bought_on
from lines
inner join {{ ref('int_affinity_items') }} as items
    on items.item_level = '{{ level }}' and lines.{{ item_column(level) }} = items.item
group by items.item_level, lines.basket_number, lines.customer_number, items.item_number
{{ 'union all' if not loop.last }}
{% endfor %}
