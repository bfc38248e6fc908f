{# The items of each level that affinities, offers or interests need, each with a whole number over all levels, in
   alphabetical order: joins and sums over numbers are several times faster than over texts. #}
{%- set levels = item_levels() -%}

with items as (

    {% for level in levels %}
    select distinct
        '{{ level }}' as item_level,
        {{ item_column(level) }} as item
    from {{ ref('int_order_lines') }}
    where is_merchandise and is_positive and {{ item_column(level) }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    item_level,
    item,
    cast(row_number() over (order by item_level, item) as integer) as item_number
from items
