{# A number that equal rows share and different rows nearly never do: it finds rows to compare, it decides nothing. #}
{% macro row_hash(columns) %}
    {{- return(adapter.dispatch('row_hash', 'segments_in_use')(columns)) -}}
{% endmacro %}

{% macro duckdb__row_hash(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{# xxhash64 passes over nulls, so that a value which moved to the next column would not be seen. #}
{% macro spark__row_hash(columns) -%}
    xxhash64({% for column in columns %}{{ column }}, {{ column }} is null{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{# One JSON object, nulls included, of name -> expression pairs, in the order given. #}
{% macro json_row(values) %}
    {{- return(adapter.dispatch('json_row', 'segments_in_use')(values)) -}}
{% endmacro %}

{% macro duckdb__json_row(values) -%}
    cast(json_object({% for name, value in values.items() %}'{{ name }}', {{ value }}{{ ', ' if not loop.last }}{% endfor %}) as varchar)
{%- endmacro %}

{% macro spark__json_row(values) -%}
    to_json(named_struct({% for name, value in values.items() %}'{{ name }}', {{ value }}{{ ', ' if not loop.last }}{% endfor %}),
        map('ignoreNullFields', 'false'))
{%- endmacro %}

{# Stops the query with a text for the user. #}
{% macro stop_with(message) %}
    {{- return(adapter.dispatch('stop_with', 'segments_in_use')(message)) -}}
{% endmacro %}

{% macro duckdb__stop_with(message) -%}
    error({{ message }})
{%- endmacro %}

{% macro spark__stop_with(message) -%}
    raise_error({{ message }})
{%- endmacro %}
