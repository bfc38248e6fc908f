{# What the engines do differently for tables with partitions (macros/kept.sql, macros/parts.sql). #}

{# Takes the partitions out of `table` whose value of the column `partition` is in the select `outdated`. #}
{% macro drop_partitions(table, partition, outdated) %}
    {{- return(adapter.dispatch('drop_partitions', 'segments_in_use')(table, partition, outdated)) -}}
{% endmacro %}

{# In one transaction with the rows that come in their place. #}
{% macro duckdb__drop_partitions(table, partition, outdated) -%}
    {%- call statement('outdated') -%}
    delete from {{ table }} where {{ partition }} in ({{ outdated }})
    {%- endcall -%}
{%- endmacro %}

{# Plain Parquet knows no delete: a partition is a folder. A run that ends before the new rows come finds them missing the
   next time, and makes them then. #}
{% macro spark__drop_partitions(table, partition, outdated) -%}
    {%- for row in run_query(outdated) -%}
        {%- do run_query('alter table ' ~ table ~ ' drop if exists partition (' ~ partition ~ ' = ' ~ spark_text(row[0]) ~ ')') -%}
    {%- endfor -%}
{%- endmacro %}

{# Rows of a table as the engine keeps count of them, without reading it; 0 where it does not. #}
{% macro estimated_rows(table) %}{{ return(adapter.dispatch('estimated_rows', 'segments_in_use')(table)) }}{% endmacro %}
{% macro duckdb__estimated_rows(table) %}
    {%- set sizes = run_query(
        "select estimated_size from duckdb_tables() where database_name = '" ~ table.database ~ "' and schema_name = '"
        ~ table.schema ~ "' and table_name = '" ~ table.identifier ~ "'"
    ) -%}
    {{- return(sizes.rows[0][0] if sizes.rows else 0) -}}
{% endmacro %}
{% macro spark__estimated_rows(table) %}{{ return(0) }}{% endmacro %}

{# A number for a set of rows that changes when any of them does, whatever their order; `hashes` come from row_hash. #}
{% macro hash_sum(hashes) %}{{ return(adapter.dispatch('hash_sum', 'segments_in_use')(hashes)) }}{% endmacro %}
{% macro duckdb__hash_sum(hashes) %}sum({{ hashes }}){% endmacro %}
{% macro spark__hash_sum(hashes) %}sum(cast({{ hashes }} as decimal(20, 0))){% endmacro %}

{# The name of the engine, with which dbt has its variants of a macro begin. #}
{% macro engine_name() %}{{ return(target.type) }}{% endmacro %}
