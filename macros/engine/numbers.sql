{# Numbers. #}

{# Whole part of `dividend` / `divisor`, whole numbers above zero: exact, where a division of doubles is rounded first. #}
{% macro whole_quotient(dividend, divisor) %}{{ return(adapter.dispatch('whole_quotient', 'segments_in_use')(dividend, divisor)) }}{% endmacro %}
{% macro duckdb__whole_quotient(dividend, divisor) %}(({{ dividend }}) // ({{ divisor }})){% endmacro %}
{% macro spark__whole_quotient(dividend, divisor) %}(({{ dividend }}) div ({{ divisor }})){% endmacro %}

{# A number rounded half up to decimal(18, places). A half of a double is only near to it (1.005): Spark goes by its shortest text, and
   DuckDB, left to itself, by what it multiplies to. Twelve digits first: what a product ends in (20.114999999999998) is no less.
   DuckDB reads 38 digits from a text a hundred times slower than 18: those of small numbers come from the double, and of larger
   ones as many as 18 hold, which from a million on are as many as a double has. #}
{% macro rounded_decimal(value, places) %}{{ return(adapter.dispatch('rounded_decimal', 'segments_in_use')(value, places)) }}{% endmacro %}
{% macro duckdb__rounded_decimal(value, places) -%}
    case
        when abs({{ value }}) < 1000 then cast(cast({{ value }} as decimal(18, 12)) as decimal(18, {{ places }}))
        when abs({{ value }}) < 1000000
            then cast(cast({{ text(value) }} as decimal(18, 12)) as decimal(18, {{ places }}))
        when abs({{ value }}) < 1000000000
            then cast(cast({{ text(value) }} as decimal(18, 9)) as decimal(18, {{ places }}))
        else cast({{ text(value) }} as decimal(18, {{ places }}))
    end
{%- endmacro %}
{% macro spark__rounded_decimal(value, places) -%}
    cast(cast({{ value }} as decimal(38, 12)) as decimal(18, {{ places }}))
{%- endmacro %}
