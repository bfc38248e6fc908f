{# Tables of which a few partitions are made at a time, where all at once would not fit into memory (DuckDB; Spark parts its work
   itself, and makes them all in one statement). The configuration `sized_by` names the table whose rows say how much one partition
   is: as many are made together as var rows_of_a_part allows, and a small shop's all at once. The model says where its select reads
   its partitions: in_part(ref('int_category_dates')), or missing(…) where it is kept. #}

{# A table that is made anew every time, in parts: {{ config(materialized='in_parts', by='as_of', dates='int_category_dates',
   sized_by='int_customer_category_days') }}. #}
{% materialization in_parts, adapter='duckdb' %}
    {%- set table = this.incorporate(type='table') -%}
    {{ drop_relation_if_exists(load_cached_relation(this)) }}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- for part in parts(date_literals(table_of(model.config.dates))) -%}
        {%- do write_part(table, of_part(sql, part), is_first=loop.first) -%}
    {%- endfor -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{- return({'relations': [table]}) -}}
{% endmaterialization %}

{% materialization in_parts, adapter='spark' %}
    {{ drop_relation_if_exists(load_relation(this)) }}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') -%}{{ create_table_as(False, this, sql) }}{%- endcall -%}
    {{ run_hooks(post_hooks) }}

    {{- return({'relations': [this]}) -}}
{% endmaterialization %}

{# The rows of a part as a new table, or as more rows of it (DuckDB). #}
{% macro write_part(table, rows, is_first) %}
    {%- call statement('main') -%}
        {%- if is_first -%}{{ create_table_as(False, table, rows) }}{%- else -%}insert into {{ table }} by name {{ rows }}{%- endif -%}
    {%- endcall -%}
{% endmacro %}

{# A relation with a row a partition, of which a statement reads those of its part: what a from clause takes. #}
{% macro in_part(relation) -%}
    {%- if is_in_parts() -%}(select * from {{ relation }} as every where {{ any_part() }}){%- else -%}{{ relation }}{%- endif -%}
{%- endmacro %}

{# Whether the model that dbt is at is made in parts. None is in a unit test. #}
{% macro is_in_parts() %}
    {{- return(model.config.materialized in ('kept', 'in_parts') and 'sized_by' in model.config) -}}
{% endmacro %}

{# The condition of no part in particular, in whose place each statement puts its own. #}
{% macro any_part() %}{{ return('/* of this part */ true') }}{% endmacro %}

{# A select for one part (SQL literals with commas between them; none: of all). #}
{% macro of_part(sql, part) %}
    {{- return(sql if part is none else sql | replace(any_part(), 'every.' ~ model.config.by ~ ' in (' ~ part ~ ')')) -}}
{% endmacro %}

{# Partitions (SQL literals; none: all there are) as parts: a list with at least one. #}
{% macro parts(partitions) %}
    {%- if partitions is none -%}{{- return([none]) -}}{%- endif -%}
    {%- set found = [] -%}
    {%- for some in partitions | sort | batch(partitions_of_a_part() or partitions | length or 1) -%}
        {%- do found.append(some | join(', ')) -%}
    {%- endfor -%}
    {{- return(found or ['cast(null as date)']) -}}
{% endmacro %}

{# How many partitions the model that dbt is at makes at a time; none: all. #}
{% macro partitions_of_a_part() %}
    {%- if not is_in_parts() -%}{{- return(none) -}}{%- endif -%}
    {%- set rows = estimated_rows(table_of(model.config.sized_by)) | int -%}
    {{- return([1, var('rows_of_a_part') // rows] | max if rows else none) -}}
{% endmacro %}

{# The dates of a relation's column `by`, as SQL literals; none where they are no dates, or too many to list. #}
{% macro date_literals(relation) %}
    {%- set literals = [] -%}
    {%- for row in run_query('select ' ~ model.config.by ~ ' from ' ~ relation ~ ' as every_partition') -%}
        {%- if row[0] is string or literals | length == 100 -%}{{- return(none) -}}{%- endif -%}
        {%- do literals.append("cast('" ~ row[0] ~ "' as date)") -%}
    {%- endfor -%}
    {{- return(literals) -}}
{% endmacro %}
