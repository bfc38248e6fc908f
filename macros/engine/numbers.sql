{# Numbers. #}

{# Whole part of `dividend` / `divisor`, whole numbers above zero: exact, where a division of doubles is rounded first. #}
{% macro whole_quotient(dividend, divisor) %}{{ return(adapter.dispatch('whole_quotient', 'segments_in_use')(dividend, divisor)) }}{% endmacro %}
{% macro duckdb__whole_quotient(dividend, divisor) %}(({{ dividend }}) // ({{ divisor }})){% endmacro %}
{% macro spark__whole_quotient(dividend, divisor) %}(({{ dividend }}) div ({{ divisor }})){% endmacro %}

{# A number rounded half up to decimal(18, places). A half of a double is only near to it (1.005): Spark goes by its shortest text, and
   DuckDB, left to itself, by what it multiplies to. Twelve digits first: what a product ends in (20.114999999999998) is no less. #}
{% macro rounded_decimal(value, places) %}{{ return(adapter.dispatch('rounded_decimal', 'segments_in_use')(value, places)) }}{% endmacro %}
{% macro duckdb__rounded_decimal(value, places) -%}
    cast(cast({{ text(value) }} as decimal(38, 12)) as decimal(18, {{ places }}))
{%- endmacro %}
{% macro spark__rounded_decimal(value, places) -%}
    cast(cast({{ value }} as decimal(38, 12)) as decimal(18, {{ places }}))
{%- endmacro %}
