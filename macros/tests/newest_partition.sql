{# What a data test reads: dbt asks for this macro by its name. Of a large kept table with the configuration `where: newest
   <column>`, a refresh reads the rows with the newest value of that column alone: one select makes each partition as a whole,
   so what holds for the newest holds for the others. `dbt test` reads them all. #}
{% macro get_where_subquery(relation) -%}
    {%- set where = config.get('where') or '' -%}
    {%- if not where.startswith('newest ') -%}
        {{- return(dbt.default__get_where_subquery(relation)) -}}
    {%- elif flags.WHICH == 'test' -%}
        {{- return(relation) -}}
    {%- endif -%}
    {%- set column = where.removeprefix('newest ') -%}
    (select * from {{ relation }} where {{ column }} = (select max({{ column }}) from {{ relation }})) as newest_partition
{%- endmacro %}
