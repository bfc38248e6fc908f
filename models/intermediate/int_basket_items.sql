{%- set levels = var('affinity_levels') -%}
{%- set item_columns = {'department': 'department', 'category': 'category', 'subcategory': 'subcategory', 'product': 'product_id'} -%}

{% for level in levels %}
select
    order_id,
    customer_id,
    '{{ level }}' as item_level,
    {{ item_columns[level] }} as item,
    min(ordered_on) as bought_on
from {{ ref('int_order_lines') }}
where is_merchandise and is_positive and {{ item_columns[level] }} is not null
group by order_id, customer_id, {{ item_columns[level] }}
{{ 'union all' if not loop.last }}
{% endfor %}
