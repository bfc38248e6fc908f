{# The input contract as dbt knows it: the sources of models/staging/_landing__sources.yml. #}

{# A table's declaration: {name, key (expressions over its typed columns), key_names, key_may_be_incomplete, columns: [{name, type,
   required, values, default, plausible, between, formats, …}]}, without personal columns, which are never stored; and is_master (one of
   rival rows is taken) and is_personal (it has personal columns). `between` is the least and the greatest number of an optional column:
   any other is as one that cannot be read. `formats` is what landing_formats sets. Empty while dbt parses. #}
{% macro landing_table(table) %}
    {%- set found = namespace(node=none) -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() if node.source_name == 'landing' and node.name == table -%}
            {%- set found.node = node -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set columns = [] -%}
    {%- set personal = namespace(found=false) -%}
    {%- if found.node -%}
        {%- for column in found.node.columns.values() -%}
            {%- set meta = column.config.meta -%}
            {%- if meta.personal -%}{%- set personal.found = true -%}{%- endif -%}
            {%- if meta.type and not meta.personal -%}
                {%- set declared = {
                    'name': column.name, 'type': meta.type, 'required': meta.get('required', false),
                    'values': meta.get('values', []), 'default': meta.get('default'), 'table': table,
                    'plausible': meta.get('plausible', false), 'between': meta.get('between', []),
                    'may_have_sign': 'currency' not in found.node.columns
                } -%}
                {%- do declared.update({'formats': landing_format(table, declared)}) -%}
                {%- do columns.append(declared) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set meta = found.node.config.meta if found.node else {} -%}
    {%- set key = meta.get('key', []) -%}
    {#- Line 1 of receipt 1 of another day is another line where order_scope tells days apart. -#}
    {%- if table == 'order_lines' and key -%}{%- set key = key[:-1] + order_scope_key() + key[-1:] -%}{%- endif -%}
    {{- return({
        'name': table, 'columns': columns, 'key': key, 'key_names': meta.get('key', []),
        'key_may_be_incomplete': meta.get('key_may_be_incomplete', false),
        'is_master': meta.get('master', false), 'is_personal': personal.found
    }) -}}
{% endmacro %}

{% macro landing_tables() %}
    {{- return([
        'customers', 'companies', 'company_contacts', 'products', 'order_lines', 'touchpoints', 'responses', 'consents',
        'assignments', 'exchange_rates', 'customer_aliases', 'prospects'
    ]) -}}
{% endmacro %}

{# Rows of each landed table: source_table, rows_landed. #}
{% macro landed_counts() %}
{%- for table in landing_tables() %}
select '{{ table }}' as source_table, count(*) as rows_landed from {{ source('landing', table) }}
{{ 'union all' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{# Names of a table's columns that are not personal; none while dbt parses. #}
{% macro contract_columns(table) %}
    {{- return(landing_table(table).columns | map(attribute='name') | list) -}}
{% endmacro %}
