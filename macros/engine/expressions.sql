{# After the `as` of a common table expression that is read several times and cheaper to read anew than to hold: DuckDB would keep its
   rows in memory until the statement ends. Spark computes each as often as it is read, and has no word for it. #}
{% macro read_anew() %}{{ return(adapter.dispatch('read_anew', 'segments_in_use')()) }}{% endmacro %}
{% macro duckdb__read_anew() %}not materialized{% endmacro %}
{% macro spark__read_anew() %}{% endmacro %}
