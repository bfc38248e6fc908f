{# The sources are files in the warehouse folder, which Python writes and every engine reads: each source table says where in
   meta.external_location, as a quoted path. #}

{# Runs before the first model: what an engine needs to see the sources under their names. #}
{% macro expose_landed_files() %}{{ return(adapter.dispatch('expose_landed_files', 'segments_in_use')()) }}{% endmacro %}

{# The adapter puts the path in the place of the name. #}
{% macro duckdb__expose_landed_files() %}{% endmacro %}

{# A view a table. Its columns are those of the files of today. #}
{% macro spark__expose_landed_files() %}
    {%- if execute and flags.WHICH in ('build', 'run', 'test', 'seed') -%}
        {%- do adapter.create_schema(api.Relation.create(schema=target.schema)) -%}
        {%- do assert_spark_schema_is_ours() -%}
        {%- for source in graph.sources.values() if source.config.meta.external_location -%}
            {%- set quoted = source.config.meta.external_location | replace('{name}', source.name) -%}
            {%- set path = in_spark_warehouse(quoted[1:-1] | replace("''", "'")) -%}
            {%- do run_query(
                'create or replace view ' ~ source.schema ~ '.' ~ source.identifier
                ~ ' as select * from parquet.`' ~ path | replace('/*.parquet', '') | replace('`', '``') ~ '`'
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
