{# What the engines do differently to take partitions out of a kept table (macros/kept.sql). #}

{# The part of a kept model's configuration that says where its partitions are. #}
{% macro partition_settings(partition) %}
    {{- return(adapter.dispatch('partition_settings', 'segments_in_use')(partition)) -}}
{% endmacro %}
{# Rows of a partition lie together because they are written together; that is all DuckDB needs. #}
{% macro duckdb__partition_settings(partition) %}{{ return({}) }}{% endmacro %}
{# A folder a partition, written in the place of what is there: a run that ended half-way may have left files in it that the
   catalogue does not know. #}
{% macro spark__partition_settings(partition) %}
    {{- return({'incremental_strategy': 'insert_overwrite', 'partition_by': [partition]}) -}}
{% endmacro %}

{# Takes the partitions out of `table` whose value of the column `partition` is in the select `outdated`. #}
{% macro drop_partitions(table, partition, outdated) %}
    {{- return(adapter.dispatch('drop_partitions', 'segments_in_use')(table, partition, outdated)) -}}
{% endmacro %}

{# In one transaction with the rows that come in their place. #}
{% macro duckdb__drop_partitions(table, partition, outdated) -%}
    delete from {{ table }} where {{ partition }} in ({{ outdated }})
{%- endmacro %}

{# Plain Parquet knows no delete: a partition is a folder. A run that ends before the new rows come finds them missing the
   next time, and makes them then. #}
{% macro spark__drop_partitions(table, partition, outdated) -%}
    {%- for row in run_query(outdated) -%}
        {%- do run_query('alter table ' ~ table ~ ' drop if exists partition (' ~ partition ~ ' = ' ~ spark_text(row[0]) ~ ')') -%}
    {%- endfor -%}
{%- endmacro %}

{# A number for a set of rows that changes when any of them does, whatever their order; `hashes` come from row_hash. #}
{% macro hash_sum(hashes) %}{{ return(adapter.dispatch('hash_sum', 'segments_in_use')(hashes)) }}{% endmacro %}
{% macro duckdb__hash_sum(hashes) %}sum({{ hashes }}){% endmacro %}
{% macro spark__hash_sum(hashes) %}sum(cast({{ hashes }} as decimal(20, 0))){% endmacro %}

{# The name of the engine, with which dbt has its variants of a macro begin. #}
{% macro engine_name() %}{{ return(target.type) }}{% endmacro %}
