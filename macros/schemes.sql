{# How a scheme joins the house: its file's first line is a macro `scheme__<name>()` that returns its model.
   dbt reads that folder for macros too, so the list below needs no keeping. #}

{# Names of all schemes that have a model, in alphabetical order. #}
{% macro scheme_names() %}
    {%- set names = [] -%}
    {%- for key in context.keys() | sort if key.startswith('scheme__') -%}
        {%- do names.append(key[8:]) -%}
    {%- endfor -%}
    {{- return(names) -}}
{% endmacro %}

{# Names of the schemes that need a profile alone: those whose file has its rule as a macro `profile_scheme__<name>(profiles)`, over
   any relation in the shape of int_profiles. #}
{% macro profile_scheme_names() %}
    {%- set names = [] -%}
    {%- for key in context.keys() | sort if key.startswith('profile_scheme__') -%}
        {%- do names.append(key[16:]) -%}
    {%- endfor -%}
    {{- return(names) -}}
{% endmacro %}

{# The select of such a scheme over other profiles than the customers'. #}
{% macro profile_scheme(name, profiles) %}
    {{- return(context['profile_scheme__' ~ name](profiles)) -}}
{% endmacro %}

{# The model of a scheme. #}
{% macro scheme_relation(name) %}
    {{- return(context['scheme__' ~ name]()) -}}
{% endmacro %}

{# Stops the run where a file in the schemes folder did not sign up, was not yet seen by the model that unites them, or holds a macro
   that dbt has from an earlier parse: its cache of parsed files takes these files for models, and keeps their macros. #}
{% macro assert_schemes_signed_up() %}
    {%- if execute -%}
        {%- set union_model = graph.nodes.get('model.segments_in_use.int_memberships') -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and 'schemes' in node.fqn[:-1] -%}
            {%- if node.name not in scheme_names() -%}
                {{ exceptions.raise_compiler_error(node.original_file_path ~ ": the first line must be {% macro scheme__" ~ node.name ~ "() %}{{ return(ref('" ~ node.name ~ "')) }}{% endmacro %}") }}
            {%- elif union_model and node.unique_id not in union_model.depends_on.nodes -%}
                {{ exceptions.raise_compiler_error("scheme " ~ node.name ~ " is new: run dbt once with --no-partial-parse") }}
            {%- endif -%}
            {%- for generator in context[project_name].values() if generator.macro.original_file_path == node.original_file_path -%}
                {%- if generator.macro.macro_sql not in node.raw_code -%}
                    {{ exceptions.raise_compiler_error(
                        node.original_file_path ~ ": its macro " ~ generator.macro.name ~ " has changed: run dbt once with --no-partial-parse"
                    ) }}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{# A label from the data, null where it says nothing: its segment would be called `unknown`, also with blanks or signs around
   it, or has no letter or digit. #}
{% macro known_label(label) -%}
case when trim(both '_' from {{ segment_id(label) }}) not in ('unknown', '') then {{ label }} end
{%- endmacro %}

{# Names of the schemes whose model is kept by as-of date (macros/kept.sql); all of them while dbt parses. #}
{% macro kept_scheme_names() %}
    {%- set names = [] -%}
    {%- for name in scheme_names() -%}
        {%- set node = graph.nodes.get('model.' ~ project_name ~ '.' ~ name) if execute else none -%}
        {%- if not node or node.config.materialized == 'kept' -%}{%- do names.append(name) -%}{%- endif -%}
    {%- endfor -%}
    {{- return(names) -}}
{% endmacro %}
