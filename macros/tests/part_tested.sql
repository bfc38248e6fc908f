{# What a data test reads: dbt asks for get_where_subquery by its name. Tests of large tables have one of these as their `where`;
   `dbt test` reads the whole of them all the same.

   `untested`, of a kept table: the partitions that no run has tested yet, so that a day's tests cost what the day brought. A
   partition counts as tested with the hash and the build key that it had in a `dbt build` in which the table was built and all
   such tests of it, the same as now, passed. For tests of what the hash and the build key cover, within a partition.
   `newest <column>`: the rows with the newest value of that column. One select makes all of them. #}
{% macro get_where_subquery(relation) -%}
    {%- set where = config.get('where') or '' -%}
    {%- if where == 'untested' -%}
        {%- set partitions = untested_partitions(relation.identifier) -%}
        {%- if partitions is none -%}{{- return(relation) -}}{%- endif -%}
        {%- set column = kept_node(relation.identifier).config.by -%}
        (select * from {{ relation }} where {{ column }} in ({{ partitions }})) as untested_partitions
    {%- elif where.startswith('newest ') -%}
        {%- if flags.WHICH == 'test' -%}{{- return(relation) -}}{%- endif -%}
        {%- set column = where.removeprefix('newest ') -%}
        (select * from {{ relation }} where {{ column }} = (select max({{ column }}) from {{ relation }})) as newest_partition
    {%- else -%}
        {{- return(dbt.default__get_where_subquery(relation)) -}}
    {%- endif -%}
{%- endmacro %}

{# The dates of a kept table that are to be tested, as SQL literals; none where that is all of them, or too many to list. #}
{% macro untested_partitions(name) %}
    {%- set tested = load_relation(tested_relation(name)) if execute and flags.WHICH != 'test' -%}
    {%- if not tested -%}{{- return(none) -}}{%- endif -%}
    {%- set by = kept_node(name).config.by -%}
    {%- set found -%}
        select inputs.{{ by }}
        from {{ kept_inputs(name) }} as inputs
        left join {{ tested }} as tested
            on
                inputs.{{ by }} = tested.{{ by }}
                and inputs.made_from = tested.made_from
                and tested.build_key = '{{ tested_key(name) }}'
        where tested.{{ by }} is null
        {%- if by == 'as_of' and backfill_dates() %} or inputs.as_of in ({{ backfill_dates() }}){% endif %}
    {%- endset -%}
    {%- set literals = [] -%}
    {%- for row in run_query(found) -%}{%- do literals.append("cast('" ~ row[0] ~ "' as date)") -%}{%- endfor -%}
    {{- return((literals | join(', ') or 'cast(null as date)') if literals | length <= 100 else none) -}}
{% endmacro %}

{# In the end of a run: notes which partitions of the kept tables that it built have passed their tests. #}
{% macro partitions_tested() %}
    {%- if execute and flags.WHICH == 'build' and not backfill_dates() -%}
        {%- set status = {} -%}
        {%- for result in results -%}{%- do status.update({result.node.unique_id: result.status | string}) -%}{%- endfor -%}
        {%- set tests = {} -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'test' and node.config.where == 'untested' -%}
            {%- do tests.setdefault(node.attached_node, []).append(status.get(node.unique_id)) -%}
        {%- endfor -%}
        {%- for id, found in tests.items() if status.get(id) == 'success' and not found | reject('in', ['pass', 'warn']) | list -%}
            {%- set name = graph.nodes[id].name -%}
            {%- set tested = tested_relation(name) -%}
            {%- if load_relation(tested) -%}{%- do adapter.drop_relation(tested) -%}{%- endif -%}
            {%- do run_query(
                'create table ' ~ tested ~ ' as select ' ~ graph.nodes[id].config.by ~ ", made_from, '"
                ~ tested_key(name) ~ "' as build_key from " ~ kept_inputs(name)
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{# The build key of a kept table and the tests that read what is untested of it, as one digest. #}
{% macro tested_key(name) %}
    {%- set parts = [noted_build_keys().get(kept_node(name).unique_id, '')] -%}
    {%- for node in graph.nodes.values() if node.attached_node == kept_node(name).unique_id and node.config.where == 'untested' -%}
        {%- set own = context[project_name].get('test_' ~ node.test_metadata.name) -%}
        {%- do parts.append(node.unique_id ~ (own.macro.macro_sql if own else '')) -%}
    {%- endfor -%}
    {{- return(local_md5(parts | sort | join('\n'))) -}}
{% endmacro %}

{# Where it is noted which partitions of a kept table have been tested. #}
{% macro tested_relation(name) %}
    {{- return(api.Relation.create(
        database=target.database | default(none), schema=target.schema, identifier='tested_' ~ name, type='table'
    )) -}}
{% endmacro %}
