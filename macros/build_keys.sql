{# Build keys: what decides the rows of a table besides the landed files, as one digest a model or seed.

   It is taken over the SQL and the configuration of the model and of every model that it is made from, however far back, the
   macros that they call, the values of the vars that those read, the rows of their seeds, the columns of their sources, the
   time zone of the stores, and the versions of dbt and of the engine. All of it is read from dbt itself; nothing has to be
   listed. So a change of one scheme's rule leaves the facts that it reads, and all other schemes, as they are.

   The table `build_keys` says by which key each table was made last. A kept table whose key is another one now is dropped before
   the first model runs, and made from nothing (macros/kept.sql). #}

{# ---- which tables are of today's key ---------------------------------------------------------------------------------- #}

{# At the start of a run: drops the selected kept tables that are of another key. From here on they count as of today's,
   although they are made later in the run; but not where something that they are made from is of another key and not selected. Such
   a table is made again by the first run that makes both. #}
{% macro outdated_tables_dropped() %}
    {%- if execute and flags.WHICH in ('build', 'run', 'seed') -%}
        {%- set wanted = build_keys() -%}
        {%- set before = noted_build_keys() -%}
        {%- set noted = dict(before) -%}
        {%- for id, key in wanted.items() if id in selected_resources -%}
            {%- set node = graph.nodes[id] -%}
            {%- set is_kept = node.config.materialized == 'kept' -%}
            {%- if is_kept and before.get(id) != key -%}
                {%- set table = adapter.get_relation(node.database, node.schema, node.alias) -%}
                {%- if table -%}{%- do adapter.drop_relation(table) -%}{%- endif -%}
                {%- set tested = load_relation(tested_relation(node.name)) -%}
                {%- if tested -%}{%- do adapter.drop_relation(tested) -%}{%- endif -%}
            {%- endif -%}
            {%- if made_of_todays(id, wanted, before, selected_resources) and (is_kept or before.get(id) == key) -%}
                {%- do noted.update({id: key}) -%}
            {%- else -%}
                {%- do noted.pop(id, none) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if noted != before -%}{%- do note_build_keys(noted) -%}{%- endif -%}
    {%- endif -%}
{% endmacro %}

{# At the end of a run: notes what was made in it and is not kept. #}
{% macro made_tables_noted() %}
    {%- if execute and flags.WHICH in ('build', 'run', 'seed') -%}
        {%- set wanted = build_keys() -%}
        {%- set before = noted_build_keys() -%}
        {%- set noted = dict(before) -%}
        {%- set made = [] -%}
        {%- for result in results if result.status | string == 'success' -%}
            {%- do made.append(result.node.unique_id) -%}
        {%- endfor -%}
        {%- for id in made if id in wanted and made_of_todays(id, wanted, before, made) -%}
            {%- if graph.nodes[id].config.materialized != 'kept' -%}{%- do noted.update({id: wanted[id]}) -%}{%- endif -%}
        {%- endfor -%}
        {%- if noted != before -%}{%- do note_build_keys(noted) -%}{%- endif -%}
    {%- endif -%}
{% endmacro %}

{# Whether all that a node is made from is of today's key, or is made in this run. #}
{% macro made_of_todays(id, wanted, noted, made) %}
    {%- set ancestors = [] -%}
    {%- do add_ancestors(id, ancestors) -%}
    {%- for other in ancestors if other in wanted and noted.get(other) != wanted[other] and other not in made -%}
        {{- return(false) -}}
    {%- endfor -%}
    {{- return(true) -}}
{% endmacro %}

{% macro build_key_table() %}
    {{- return(api.Relation.create(
        database=target.database | default(none), schema=target.schema, identifier='build_keys', type='table'
    )) -}}
{% endmacro %}

{# {unique id: the key that it was made by}. #}
{% macro noted_build_keys() %}
    {%- set noted = {} -%}
    {%- set table = load_relation(build_key_table()) -%}
    {%- if table -%}
        {%- for row in run_query('select table_name, build_key from ' ~ table) -%}
            {%- do noted.update({row[0]: row[1]}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(noted) -}}
{% endmacro %}

{% macro note_build_keys(noted) %}
    {%- set table = load_relation(build_key_table()) -%}
    {%- if table -%}{%- do adapter.drop_relation(table) -%}{%- endif -%}
    {%- set rows = ["('none', 'none')"] -%}
    {%- for id, key in noted.items() if id != 'none' -%}{%- do rows.append("('" ~ id ~ "', '" ~ key ~ "')") -%}{%- endfor -%}
    {%- do run_query(
        'create table ' ~ build_key_table() ~ ' as select * from (values ' ~ rows | join(', ')
        ~ ') as noted (table_name, build_key)'
    ) -%}
    {# Made by hand: dbt would not know at the end of the run that it is there. #}
    {%- do adapter.cache_added(build_key_table()) -%}
{% endmacro %}

{# ---- what a key is made of --------------------------------------------------------------------------------------------- #}

{# {unique id: build key} of all models and seeds. #}
{% macro build_keys() %}
    {%- set macros = own_macros() -%}
    {%- set common = [dbt_version, engine_name(), run_query('select version()')[0][0], store_timezone()] -%}
    {# Those that stand in the place of one of dbt's or the adapter's. #}
    {%- for name in macros if name.startswith(engine_name() ~ '__') and name.partition('__')[2] not in macros -%}
        {%- do common.append(macros[name].digest) -%}
    {%- endfor -%}
    {%- set digests = {} -%}
    {%- for id, source in graph.sources.items() -%}
        {%- set declared = [dict(source.config.meta, external_location='')] -%}
        {%- for column in source.columns.values() -%}{%- do declared.append([column.name, column.config.meta]) -%}{%- endfor -%}
        {%- do digests.update({id: local_md5(tojson(declared, sort_keys=true))}) -%}
    {%- endfor -%}
    {%- set made = [] -%}
    {%- for id, node in graph.nodes.items() if node.resource_type in ('model', 'seed') -%}
        {%- do made.append(id) -%}
        {%- do digests.update({id: node_digest(node, macros)}) -%}
    {%- endfor -%}
    {%- set keys = {} -%}
    {%- for id in made -%}
        {%- set nodes = [id] -%}
        {%- do add_ancestors(id, nodes) -%}
        {%- set parts = common | list -%}
        {%- for each in nodes | sort -%}{%- do parts.append(each ~ ' ' ~ digests[each]) -%}{%- endfor -%}
        {%- do keys.update({id: local_md5(parts | join('\n'))}) -%}
    {%- endfor -%}
    {{- return(keys) -}}
{% endmacro %}

{# What a model or seed adds to the keys of all that are made from it. #}
{% macro node_digest(node, macros) %}
    {%- set names = vars_read(node.raw_code) -%}
    {#- dbt does not hash a seed beyond 1 MiB: its checksum is the path. -#}
    {%- set content = large_seed_digest(node) if node.checksum.name == 'path' else node.checksum.checksum -%}
    {%- set parts = [content, tojson(node.config, sort_keys=true)] -%}
    {%- set materialization = 'materialization_' ~ node.config.materialized ~ '_' ~ engine_name() ~ '()' -%}
    {%- for name in macros_reached(node.raw_code ~ ' ' ~ materialization, macros) -%}
        {%- do names.extend(macros[name].vars) -%}
        {%- do parts.append(macros[name].digest) -%}
    {%- endfor -%}
    {# Which dates there are, and how many are made at a time, is not what is true on them. #}
    {%- for name in names | unique if name not in ('as_of', 'history_grid', 'rows_of_a_part') -%}
        {%- do parts.append(name ~ ' ' ~ tojson(var(name, none))) -%}
    {%- endfor -%}
    {{- return(local_md5(parts | sort | join('\n'))) -}}
{% endmacro %}

{# {name: digest of the text, names of the macros that it calls, names of the vars that it reads} of the project's macros. #}
{% macro own_macros() %}
    {%- set macros = {} -%}
    {%- for name, generator in context[project_name].items() -%}
        {%- do macros.update({name: generator.macro.macro_sql}) -%}
    {%- endfor -%}
    {%- for name, text in macros.items() | list -%}
        {%- do macros.update({name: {
            'digest': name ~ ' ' ~ local_md5(text), 'calls': macros_called(text, macros), 'vars': vars_read(text)
        }}) -%}
    {%- endfor -%}
    {{- return(macros) -}}
{% endmacro %}

{# Names of all of the project's macros that a text calls, or that those call, and so on. #}
{% macro macros_reached(text, macros) %}
    {%- set found = macros_called(text, macros) -%}
    {# The list grows while it is read. #}
    {%- for name in found -%}
        {%- for other in macros[name].calls if other not in found -%}{%- do found.append(other) -%}{%- endfor -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}

{# Names of those of the project's macros that a text calls itself: by name, by dispatch, or by the beginning of a name
   (context['scheme__' ~ name]). Whatever stands before a parenthesis counts: rather too many than too few. #}
{% macro macros_called(text, macros) %}
    {%- set found = modules.re.findall('(\\w+)\\s*\\(', text) | select('in', macros) | list -%}
    {%- for name in modules.re.findall('dispatch\\(\\s*[\'"](\\w+)', text) -%}
        {%- do found.extend(['default__' ~ name, engine_name() ~ '__' ~ name] | select('in', macros)) -%}
    {%- endfor -%}
    {%- for beginning in modules.re.findall('context\\[[\'"](\\w+)', text) -%}
        {%- for name in macros if name.startswith(beginning) -%}{%- do found.append(name) -%}{%- endfor -%}
    {%- endfor -%}
    {{- return(found | unique | list) -}}
{% endmacro %}

{# Names of the vars that a text reads, itself or by a macro of macros/settings.sql. #}
{% macro vars_read(text) %}
    {{- return(modules.re.findall('\\b(?:var|setting)\\(\\s*[\'"](\\w+)', text)) -}}
{% endmacro %}

{# Adds the ids of all that a node is made from, however far back, to the list `found`: models, seeds, sources. #}
{% macro add_ancestors(id, found) %}
    {%- for parent in graph.nodes[id].depends_on.nodes if parent not in found -%}
        {%- do found.append(parent) -%}
        {%- if parent in graph.nodes -%}{%- do add_ancestors(parent, found) -%}{%- endif -%}
    {%- endfor -%}
{% endmacro %}
