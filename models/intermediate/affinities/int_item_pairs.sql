{# Baskets with both items of an unordered pair (item_a < item_b), kept from min_pair_count on. An item in fewer baskets
   than that can be in no such pair, so leaving it out before the join loses nothing. #}
with frequent_items as (

    select item_number
    from {{ ref('int_item_counts') }}
    where sales_window = 'basket' and n_units >= {{ var('min_pair_count') }} and item_number > 0

),

items as (

    select
        items.item_level,
        items.unit_number,
        items.item_number
    from {{ ref('int_unit_items') }} as items
    inner join frequent_items on items.item_number = frequent_items.item_number
    where items.sales_window = 'basket'

)

{# A level at a time: the join then needs one key. Products have millions of pairs, most of them in one basket: counted a
   quarter at a time, the table of counts is a quarter as large, and faster. #}
{% for level in var('affinity_levels') %}
{% set parts = 4 if level == 'product' else 1 %}
{% for part in range(parts) %}
select
    '{{ level }}' as item_level,
    first_items.item_number as item_a,
    second_items.item_number as item_b,
    count(*) as n_both
from items as first_items
inner join items as second_items
    on
        first_items.unit_number = second_items.unit_number
        and first_items.item_number < second_items.item_number
where
    first_items.item_level = '{{ level }}'
    and second_items.item_level = '{{ level }}'
    {% if parts > 1 -%}
    and first_items.item_number % {{ parts }} = {{ part }}
    {% endif -%}
group by first_items.item_number, second_items.item_number
having count(*) >= {{ var('min_pair_count') }}
{{ 'union all' if not loop.last }}
{% endfor %}
{{ 'union all' if not loop.last }}
{% endfor %}
