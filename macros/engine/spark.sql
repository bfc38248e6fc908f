{# What dbt-spark leaves out or does otherwise than the project needs, on plain parquet tables. #}

{# ---- where things are ------------------------------------------------------------------------------------------------ #}

{# WAREHOUSE_DIR as an absolute path, and as Spark's executors see it: SPARK_WAREHOUSE_DIR where the two differ. #}
{% macro spark_warehouse_dir() %}
    {%- set folder = env_var('SPARK_WAREHOUSE_DIR', '') or env_var('WAREHOUSE_DIR', 'warehouse') -%}
    {{- return(folder if folder.startswith('/') or ':/' in folder else env_var('PWD', '.') ~ '/' ~ folder) -}}
{% endmacro %}

{# A path in WAREHOUSE_DIR, as Spark's executors see it. #}
{% macro in_spark_warehouse(path) %}
    {{- return(spark_warehouse_dir() ~ path[env_var('WAREHOUSE_DIR', 'warehouse') | length:]) -}}
{% endmacro %}

{# The tables lie in the warehouse folder, whatever the default of the catalogue, because Python reads their files. #}
{% macro spark__create_schema(relation) -%}
    {%- call statement('create_schema') -%}
        create schema if not exists {{ relation }}
        location {{ spark_text(spark_warehouse_dir() ~ '/build/spark/tables') }}
    {%- endcall -%}
{%- endmacro %}

{# A catalogue that several warehouses share may hold the schema of another one; its tables would be built there, and Python
   would look here. Paths are compared without what a URI encodes. #}
{% macro assert_spark_schema_is_ours() %}
    {%- set ours = spark_warehouse_dir() ~ '/build/spark/tables' -%}
    {%- for row in run_query('describe schema extended ' ~ target.schema) if row[0] == 'Location' -%}
        {%- set there = modules.re.sub('%[0-9A-Fa-f]{2}|[^A-Za-z0-9/]', '', row[1]) -%}
        {%- if not there.endswith(modules.re.sub('%[0-9A-Fa-f]{2}|[^A-Za-z0-9/]', '', ours)) -%}
            {{- exceptions.raise_compiler_error(
                'The schema ' ~ target.schema ~ ' of this Spark belongs to another warehouse, at ' ~ row[1]
                ~ ': set SPARK_SCHEMA to a name that is not taken'
            ) -}}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{# ---- values ---------------------------------------------------------------------------------------------------------- #}

{# A text as a literal; null for none. #}
{% macro spark_text(value) %}
    {{- return(
        'null' if value is none
        else "'" ~ value | string | replace('\\', '\\\\') | replace("'", "\\'") | replace('\n', '\\n') | replace('\r', '\\r') ~ "'"
    ) -}}
{% endmacro %}

{# A type as the YAML files write it, as Spark knows it: varchar needs a length there. #}
{% macro spark_type(data_type) %}
    {{- return('string' if data_type | trim | lower in ('varchar', 'text') else data_type) -}}
{% endmacro %}

{% macro spark__cast(field, type) %}cast({{ field }} as {{ spark_type(type) }}){% endmacro %}

{# Of the input rows of unit tests: dbt hands over literals that are quoted already. #}
{% macro spark__safe_cast(field, type) %}try_cast({{ field }} as {{ spark_type(type) }}){% endmacro %}

{# ---- seeds ----------------------------------------------------------------------------------------------------------- #}

{% macro spark_seed_types(model, agate_table) %}
    {%- set declared = model['config'].get('column_types', {}) -%}
    {%- set types = [] -%}
    {%- for name in agate_table.column_names -%}
        {%- do types.append(spark_type(declared.get(name, adapter.convert_type(agate_table, loop.index0)))) -%}
    {%- endfor -%}
    {{- return(types) -}}
{% endmacro %}

{% macro spark__create_csv_table(model, agate_table) %}
    {%- set types = spark_seed_types(model, agate_table) -%}
    {%- set sql -%}
        create table {{ this.render() }} (
            {%- for name in agate_table.column_names %}
            {{ name }} {{ types[loop.index0] }}{{ ',' if not loop.last }}
            {%- endfor %}
        )
        {{ file_format_clause() }}
        {{ location_clause() }}
    {%- endset -%}
    {%- call statement('_') -%}{{ sql }}{%- endcall -%}
    {# dbt loads no rows of a seed without any; a file of no rows is written, without which nobody who reads the files knows
       the table. #}
    {%- if not agate_table.rows | length -%}
        {%- call statement('_') -%}
            insert into {{ this.render() }}
            select {% for type in types %}cast(null as {{ type }}){{ ', ' if not loop.last }}{% endfor %} where false
        {%- endcall -%}
    {%- endif -%}
    {{- return(sql) -}}
{% endmacro %}

{# dbt-spark puts texts between quotes as they are, so that an apostrophe ends them, and writes an empty cell as the text None. #}
{% macro spark__load_csv_rows(model, agate_table) %}
    {%- set types = spark_seed_types(model, agate_table) -%}
    {%- set statements = [] -%}
    {%- for rows in agate_table.rows | batch(1000) -%}
        {%- set sql -%}
            insert into {{ this.render() }}
            select
                {%- for type in types %}
                cast(column_{{ loop.index }} as {{ type }}){{ ',' if not loop.last }}
                {%- endfor %}
            from values
                {%- for row in rows %}
                ({% for value in row %}{{ spark_text(value) }}{{ ', ' if not loop.last }}{% endfor %}){{ ',' if not loop.last }}
                {%- endfor %}
                as seed_rows ({% for type in types %}column_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %})
        {%- endset -%}
        {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
        {%- do statements.append(sql) -%}
    {%- endfor -%}
    {{- return(statements[0] if statements else '') -}}
{% endmacro %}

{# ---- views ----------------------------------------------------------------------------------------------------------- #}

{# A view is a table here: Python reads the files of every model, and a view has none. #}
{% materialization view, adapter='spark' %}
    {{- return(materialization_table_spark()) -}}
{% endmaterialization %}

{# The folders of a table: dbt-spark asks for them by this name, and its own reads `partition_by` alone. #}
{% macro spark__partition_cols(label, required=false) -%}
    {%- if config.get('by') %}{{ label }} ({{ config.get('by') }}){% endif -%}
{%- endmacro %}
