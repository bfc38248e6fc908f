{# Tables that are kept between refreshes, a partition (a file, a local day, an as-of date) at a time.

   Each row of a kept table says in `made_from` what its partition was made from: a hash of all input that can change it.
   `inputs` is a model with one row a partition and the hash as it is now. A partition whose hash differs, or which is gone,
   is taken out; one that is not there is made. So nothing has to be remembered of earlier refreshes, and a table that was
   lost, or left half-way by a stopped run, is completed by the next one. What the hash cannot see (the SQL itself, seeds,
   vars) is in the build key: where that changed, all kept tables are dropped before the first model runs. #}

{# The configuration of such a model: {{ config(**kept('int_order_days', 'day_on')) }}. #}
{% macro kept(inputs, partition) %}
    {%- set settings = {
        'materialized': 'incremental',
        'incremental_strategy': 'append',
        'tags': ['by_' ~ partition],
        'meta': {'kept_by': partition, 'kept_inputs': inputs},
        'pre_hook': "{{ outdated_partitions_dropped('" ~ inputs ~ "', '" ~ partition ~ "') }}"
    } -%}
    {%- do settings.update(partition_settings(partition)) -%}
    {{- return(settings) -}}
{% endmacro %}

{# The pre-hook of a kept model. #}
{% macro outdated_partitions_dropped(inputs, partition) -%}
    {%- set inputs_relation = ref(inputs) -%}
    {%- if execute and is_incremental() -%}
        {%- set outdated -%}
            {%- if partition == 'as_of' and backfill_dates() -%}
            select distinct as_of from {{ this }} where as_of in ({{ backfill_dates() }})
            {%- else -%}
            select distinct kept.{{ partition }}
            from {{ this }} as kept
            left join {{ inputs_relation }} as inputs
                on kept.{{ partition }} = inputs.{{ partition }} and kept.made_from = inputs.made_from
            where inputs.{{ partition }} is null
            {%- endif -%}
        {%- endset -%}
        {{- drop_partitions(this, partition, outdated) -}}
    {%- endif -%}
{%- endmacro %}

{# A select of the partitions that a kept model must make now: its key and made_from. `not exists`, because a planner then
   knows that they are few, and finds their rows by them; it takes an outer join for as many as the table has rows. #}
{% macro partitions_to_make(inputs, partition) -%}
select
    inputs.{{ partition }},
    inputs.made_from
from {{ ref(inputs) }} as inputs
where
    {% if is_incremental() -%}
    not exists (select 1 from {{ this }} as kept where kept.{{ partition }} = inputs.{{ partition }})
    {%- else -%}
    1 = 1
    {%- endif %}
{%- if partition == 'as_of' and backfill_dates() %}
    and inputs.as_of in ({{ backfill_dates() }})
{%- endif %}
{%- endmacro %}

{# The past as-of dates that a backfill computes, and no others, as SQL dates; '' in a refresh, which computes whatever is
   missing. From the environment: ISO dates separated by commas. #}
{% macro backfill_dates() %}
    {%- set dates = [] -%}
    {%- for day in env_var('BACKFILL_DATES', '').split(',') if day.strip() -%}
        {%- do dates.append("cast('" ~ modules.datetime.date.fromisoformat(day.strip()) ~ "' as date)") -%}
    {%- endfor -%}
    {{- return(dates | join(', ')) -}}
{% endmacro %}

{# What hashes of input cannot see, as one hash (orchestration/landing/inputs.py). #}
{% macro current_build_key() %}
    {{- return(run_query('select max(build_key) from ' ~ source('landed', 'files'))[0][0]) -}}
{% endmacro %}

{# Before the first model runs: drops each selected kept table that was made by another build key than the one that is here
   now. A table is noted as made by this key where all kept tables that it is made from are; where one of them was not selected
   and is of another key, the table is made again by the next run, too. #}
{% macro outdated_tables_dropped() %}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set wanted = current_build_key() -%}
        {%- set database = target.database | default(none) -%}
        {%- set key_table = api.Relation.create(database=database, schema=target.schema, identifier='build_keys', type='table') -%}
        {%- set found = adapter.get_relation(database, target.schema, 'build_keys') -%}
        {%- set noted = {} -%}
        {%- if found -%}
            {%- for row in run_query('select table_name, build_key from ' ~ key_table) -%}
                {%- do noted.update({row[0]: row[1]}) -%}
            {%- endfor -%}
        {%- endif -%}
        {%- set is_current = {} -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.materialized == 'incremental' -%}
            {%- do is_current.update({node.unique_id: noted.get(node.alias) == wanted}) -%}
        {%- endfor -%}
        {%- set outdated = [] -%}
        {%- for id, current in is_current.items() if not current and id in selected_resources -%}
            {%- do outdated.append(id) -%}
        {%- endfor -%}
        {%- for id in outdated -%}
            {%- set node = graph.nodes[id] -%}
            {%- set table = adapter.get_relation(node.database, node.schema, node.alias) -%}
            {%- if table -%}{%- do adapter.drop_relation(table) -%}{%- endif -%}
            {%- set tested = load_relation(tested_relation(node.alias)) -%}
            {%- if tested -%}{%- do adapter.drop_relation(tested) -%}{%- endif -%}
            {%- do noted.pop(node.alias, none) -%}
        {%- endfor -%}
        {%- for id in outdated -%}
            {%- set ancestors = [] -%}
            {%- do add_ancestors(id, ancestors) -%}
            {%- set others = ancestors | select('in', is_current) | reject('in', outdated) | list -%}
            {%- set problem = namespace(found=false) -%}
            {%- for other in others if not is_current[other] -%}{%- set problem.found = true -%}{%- endfor -%}
            {# Noted before the table is made: it is made by this key from here on. #}
            {%- if not problem.found -%}{%- do noted.update({graph.nodes[id].alias: wanted}) -%}{%- endif -%}
        {%- endfor -%}
        {%- if outdated -%}
            {%- if found -%}{%- do adapter.drop_relation(found) -%}{%- endif -%}
            {%- do run_query(
                'create table ' ~ key_table ~ " as select '" ~ (noted.items() | map('join', "' as table_name, '")
                | join("' as build_key union all select '") or "none' as table_name, 'none") ~ "' as build_key"
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{# Adds the ids of all models and seeds that a node is made from, however far back, to the list `found`. #}
{% macro add_ancestors(id, found) %}
    {%- for parent in graph.nodes[id].depends_on.nodes if parent in graph.nodes and parent not in found -%}
        {%- do found.append(parent) -%}
        {%- do add_ancestors(parent, found) -%}
    {%- endfor -%}
{% endmacro %}
