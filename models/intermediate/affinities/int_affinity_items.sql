{# The items of each level that affinities, offers or interests need, each with its hashed key, by which facts are kept, and a
   whole number over all levels in alphabetical order: what is counted of facts is compared, ranked and shown by it. #}
{%- set levels = item_levels() -%}

with items as (

    {% for level in levels %}
    select
        '{{ level }}' as item_level,
        {{ item_column(level) }} as item,
        {{ item_key(level, item_column(level)) }} as item_key
    from {{ ref('stg_order_lines' if level == 'product' else 'int_products') }}
    {% if level == 'product' %}where is_counted{% endif %}
    group by {{ item_column(level) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    item_level,
    item,
    item_key,
    cast(row_number() over (order by item_level, item) as integer) as item_number
from items
where item is not null
