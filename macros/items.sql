{# The column of int_order_lines and int_products that names the items of a level. #}
{% macro item_column(level) -%}
    {%- set columns = {
        'department': 'department', 'category': 'category', 'subcategory': 'subcategory', 'product': 'product_id'
    } -%}
    {%- if level not in columns -%}
        {{ exceptions.raise_compiler_error("item level " ~ level ~ ": it must be one of " ~ columns.keys() | join(', ')) }}
    {%- endif -%}
    {{- return(columns[level]) -}}
{%- endmacro %}

{# The levels whose items are numbered: those of affinities and offers, and category, which interests need. #}
{% macro item_levels() -%}
    {{- return((var('affinity_levels') + var('sequence_levels') + [var('offer_level'), 'category']) | unique | list) -}}
{%- endmacro %}

{# The levels whose pairs of a basket are counted by period, and kept. Not product: its pairs are mostly in one basket each, so
   that adding up periods takes as long as counting again, and room beside (docs/cross-sell.md). #}
{% macro period_pair_levels() -%}
    {{- return(var('affinity_levels') | reject('equalto', 'product') | list) -}}
{%- endmacro %}
