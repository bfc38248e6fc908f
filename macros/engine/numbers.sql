{# Numbers. #}

{# Whole part of `dividend` / `divisor`, whole numbers above zero: exact, where a division of doubles is rounded first. #}
{% macro whole_quotient(dividend, divisor) %}{{ return(adapter.dispatch('whole_quotient', 'segments_in_use')(dividend, divisor)) }}{% endmacro %}
{% macro duckdb__whole_quotient(dividend, divisor) %}(({{ dividend }}) // ({{ divisor }})){% endmacro %}
{% macro spark__whole_quotient(dividend, divisor) %}(({{ dividend }}) div ({{ divisor }})){% endmacro %}
