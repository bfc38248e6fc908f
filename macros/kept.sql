{# Tables that are kept between refreshes, a partition (a file, a local day, an as-of date) at a time.

   A model says {{ config(materialized='kept', by='day_on', inputs='int_order_days') }} and is otherwise a plain select, which
   knows nothing of what is kept. `inputs` is a model with one row a partition (the column `by`) and a hash `made_from` of all
   input that can change the partition; each row of the kept table is given the hash that its partition was made from. Before
   the select runs, partitions whose hash differs from the one of now, or which are gone, are taken out; then it makes those
   that are not there. So nothing has to be remembered of earlier refreshes, and a table that was lost, or left half-way by a
   stopped run, is completed by the next one. What the hash cannot see (the SQL itself, seeds, vars) is in the table's build key
   (macros/build_keys.sql): where that changed, it is dropped before the first model runs. #}

{# DuckDB: what is taken out and what comes in its place, in one transaction. #}
{% materialization kept, adapter='duckdb' %}
    {%- set table = this.incorporate(type='table') -%}
    {%- set is_new = not is_there_to_keep() -%}
    {%- if is_new -%}{{ drop_relation_if_exists(load_cached_relation(this)) }}{%- endif -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if not is_new -%}{%- do outdated_partitions_dropped() -%}{%- endif -%}
    {#- All that there are need not be listed. -#}
    {%- for part in parts(none if is_new and not is_in_parts() else missing_partitions()) -%}
        {%- do write_part(table, of_part(kept_rows(sql, part), part), is_first=is_new and loop.first) -%}
    {%- endfor -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{- return({'relations': [table]}) -}}
{% endmaterialization %}

{# Spark: a folder a partition, written in the place of what is there: a run that ended half-way may have left files in it that
   the catalogue does not know. #}
{% materialization kept, adapter='spark' %}
    {%- set is_new = not is_there_to_keep() -%}
    {%- if is_new -%}{{ drop_relation_if_exists(load_relation(this)) }}{%- endif -%}

    {%- call statement() -%}set spark.sql.sources.partitionOverwriteMode = dynamic{%- endcall -%}
    {{ run_hooks(pre_hooks) }}
    {%- if is_new -%}
        {%- call statement('main') -%}{{ create_table_as(False, this, kept_rows(sql)) }}{%- endcall -%}
    {%- else -%}
        {%- do outdated_partitions_dropped() -%}
        {# A view, because an insert takes no common table expressions. #}
        {%- set made = this.incorporate(path={'identifier': this.identifier ~ '__dbt_tmp'}).include(database=false, schema=false) -%}
        {%- call statement('made') -%}{{ create_table_as(True, made, kept_rows(sql, parts(missing_partitions())[0])) }}{%- endcall -%}
        {%- call statement('main') -%}{{ get_insert_overwrite_sql(made, this, load_relation(this)) }}{%- endcall -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}

    {{- return({'relations': [this]}) -}}
{% endmaterialization %}

{# Whether the kept model that dbt is at has a table of which partitions can be kept. Nothing is in a unit test. #}
{% macro is_there_to_keep() %}
    {%- if not execute or model.config.materialized != 'kept' or should_full_refresh() -%}{{- return(false) -}}{%- endif -%}
    {%- set table = load_relation(this) -%}
    {{- return(table is not none and table.type == 'table') -}}
{% endmacro %}

{# What the kept model that dbt is at is kept by; a unit test that needs to know it says it. #}
{% macro kept_by() %}{{ return(model.config.by) }}{% endmacro %}

{# The rows of a kept model's select with what they are made from. `partitions`, where given, are the only ones to be made, as SQL
   literals: a planner takes them down to the tables that the select reads, as far as each step is by partition. #}
{% macro kept_rows(sql, partitions=none) -%}
    {%- set by = model.config.by -%}
select
    made_rows.*,
    inputs.made_from
from (
{{ sql }}
) as made_rows
inner join {{ missing(kept_inputs(model.name)) }} as inputs on made_rows.{{ by }} = inputs.{{ by }}
{%- if partitions is not none %}
where made_rows.{{ by }} in ({{ partitions }})
{%- endif %}
{%- endmacro %}

{# Takes out of the table of the kept model that dbt is at what is not made from the inputs of now, or is to be computed again. #}
{% macro outdated_partitions_dropped() -%}
    {%- set by = model.config.by -%}
    {%- set outdated -%}
        {%- if by == 'as_of' and backfill_dates() -%}
        select distinct as_of from {{ this }} where as_of in ({{ backfill_dates() }})
        {%- else -%}
        select distinct kept.{{ by }}
        from {{ this }} as kept
        left join {{ kept_inputs(model.name) }} as inputs
            on kept.{{ by }} = inputs.{{ by }} and kept.made_from = inputs.made_from
        where inputs.{{ by }} is null
        {%- endif -%}
    {%- endset -%}
    {{- drop_partitions(this, by, outdated) -}}
{%- endmacro %}

{# Of a relation with a row a partition, those that the kept model that dbt is at must make now: what a from clause takes. For a
   model that must name them itself, because its rows come from other partitions than their own, or are read twice and so by no
   filter from outside. `not exists`, because a planner then knows that they are few, and finds their rows by them; it takes an
   outer join for as many as the table has rows. #}
{% macro missing(relation) -%}
    {%- set conditions = [] -%}
    {%- if is_there_to_keep() -%}
        {%- set by = kept_by() -%}
        {%- do conditions.append(
            'not exists (select 1 from ' ~ this ~ ' as kept where kept.' ~ by ~ ' = every.' ~ by ~ ')'
        ) -%}
    {%- endif -%}
    {%- if execute and backfill_dates() and kept_by() == 'as_of' -%}
        {%- do conditions.append('every.as_of in (' ~ backfill_dates() ~ ')') -%}
    {%- endif -%}
    {%- if is_in_parts() -%}{%- do conditions.append(any_part()) -%}{%- endif -%}
    {%- if conditions -%}
    (select * from {{ relation }} as every where {{ conditions | join(' and ') }})
    {%- else -%}
    {{ relation }}
    {%- endif -%}
{%- endmacro %}

{# The partitions that the kept model that dbt is at must make now, as SQL literals; none where they are no dates, or too many to
   list. #}
{% macro missing_partitions() %}{{ return(date_literals(missing(kept_inputs(model.name)))) }}{% endmacro %}

{% macro kept_node(name) %}{{ return(graph.nodes['model.' ~ project_name ~ '.' ~ name]) }}{% endmacro %}

{# The model with the hashes that a kept table is made from. dbt makes it first where the kept model is made from it, however far
   back; where it is not, that stops the run. #}
{% macro kept_inputs(name) %}
    {%- set kept = kept_node(name) -%}
    {%- set inputs = kept_node(kept.config.inputs) -%}
    {%- set ancestors = [] -%}
    {%- do add_ancestors(kept.unique_id, ancestors) -%}
    {%- if inputs.unique_id not in ancestors -%}
        {{- exceptions.raise_compiler_error(
            kept.original_file_path ~ ': it is kept by the dates of ' ~ inputs.name ~ ", and is not made from it: write "
            ~ "-- depends_on: {" ~ "{ ref('" ~ inputs.name ~ "') }" ~ "} above its select"
        ) -}}
    {%- endif -%}
    {{- return(table_of(inputs.name)) -}}
{% endmacro %}

{# The relation of one of this project's models, by its name. #}
{% macro table_of(name) %}
    {%- set node = kept_node(name) -%}
    {{- return(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) -}}
{% endmacro %}

{# The past as-of dates that a backfill computes, and no others, as SQL dates; '' in a refresh, which computes whatever is
   missing. From the environment: ISO dates separated by commas. #}
{% macro backfill_dates() %}
    {%- set dates = [] -%}
    {%- for day in env_var('BACKFILL_DATES', '').split(',') if day.strip() -%}
        {%- do dates.append("cast('" ~ modules.datetime.date.fromisoformat(day.strip()) ~ "' as date)") -%}
    {%- endfor -%}
    {{- return(dates | join(', ')) -}}
{% endmacro %}
