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
    {{- return((var('affinity_levels') + var('sequence_levels') + offer_levels() + ['category']) | unique | list) -}}
{%- endmacro %}

{# The levels that offers may be made on: var offer_level and, where var min_offer_items lets a poor catalogue fall to one, the
   finer ones. Which of them it is today is in int_offer_level. #}
{% macro offer_levels() -%}
    {%- set levels = ['department', 'category', 'subcategory', 'product'] -%}
    {%- set wanted = var('offer_level') -%}
    {%- do item_column(wanted) -%}
    {{- return(levels[levels.index(wanted):] if var('min_offer_items') | int > 0 else [wanted]) -}}
{%- endmacro %}

{# The item of a row of `relation` (columns of int_order_lines or int_products) at the level in `level`, a column. #}
{% macro item_of_level(level, relation, levels) -%}
    case {{ level }}
        {%- for each in levels %}
        when '{{ each }}' then {{ relation }}.{{ item_column(each) }}
        {%- endfor %}
    end
{%- endmacro %}

{# Of some levels those whose affinities are counted anew at every refresh; and the others, which follow var affinity_grid: their
   tables are the largest, and one week's lines change them little. #}
{% macro daily_levels(levels) -%}
    {{- return(levels | select('in', ['department', 'category']) | list) -}}
{%- endmacro %}
{% macro grid_levels(levels) -%}
    {{- return(levels | reject('in', ['department', 'category']) | list) -}}
{%- endmacro %}

{# The schemes whose segments are items, each with their level: a segment's id is that of the item. #}
{% macro item_schemes() -%}
    {{- return({'category_interest': 'category', 'spend_structure': 'department'}) -}}
{%- endmacro %}

{# The columns of a product that a pattern of a seed (non_merchandise, offer_exclusions) can be held against. #}
{% macro pattern_levels() -%}
    {{- return(['department', 'category', 'subcategory', 'product_name', 'product_id']) -}}
{%- endmacro %}

{# Whether a product of the relation `products` matches a row (level, pattern) of `patterns`, in any case: a condition.
   `lowered` where the patterns are in lower case already. #}
{% macro product_matches(products, patterns, lowered=false) -%}
    {%- set pattern = patterns ~ '.pattern' if lowered else lower_case(patterns ~ '.pattern') -%}
    {%- for level in pattern_levels() -%}
    {{ 'or ' if not loop.first }}({{ patterns }}.level = '{{ level }}' and {{ lower_case(products ~ '.' ~ level) }} like {{ pattern }})
    {{ '' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
