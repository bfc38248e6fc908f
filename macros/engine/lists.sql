{# The distinct values of a column in a group as one text, sorted by bytes, so that it never depends on the order of rows. #}
{# Null where the group has no value. Nulls in the group are left out. #}
{% macro sorted_list(expression, separator=', ') %}
    {{- return(adapter.dispatch('sorted_list', 'segments_in_use')(expression, separator)) -}}
{% endmacro %}

{% macro duckdb__sorted_list(expression, separator) -%}
    string_agg(distinct {{ expression }}, '{{ separator }}' order by {{ expression }})
{%- endmacro %}

{% macro spark__sorted_list(expression, separator) -%}
    nullif(array_join(sort_array(collect_set({{ expression }})), '{{ separator }}'), '')
{%- endmacro %}

{# The parts of a text between separators, a row each: the only such expression of a select. #}
{% macro each_part(text, separator) %}{{ return(adapter.dispatch('each_part', 'segments_in_use')(text, separator)) }}{% endmacro %}
{% macro duckdb__each_part(text, separator) %}unnest(string_split({{ text }}, '{{ separator }}')){% endmacro %}
{% macro spark__each_part(text, separator) %}explode(split({{ text }}, '{{ separator }}')){% endmacro %}

{# A list of expressions, a row each, as the columns `place` (from 0) and `value`: the only such expression of a select. #}
{% macro each_value(values, place, value) %}{{ return(adapter.dispatch('each_value', 'segments_in_use')(values, place, value)) }}{% endmacro %}
{% macro duckdb__each_value(values, place, value) -%}
    unnest(range({{ values | length }})) as {{ place }}, unnest([{{ values | join(', ') }}]) as {{ value }}
{%- endmacro %}
{% macro spark__each_value(values, place, value) -%}
    posexplode(array({{ values | join(', ') }})) as ({{ place }}, {{ value }})
{%- endmacro %}
