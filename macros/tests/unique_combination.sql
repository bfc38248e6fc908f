{# Rows that share the values of `columns`: the primary key of a table with more than one key column. A name in double quotes,
   as constraints write a reserved word, is quoted as the engine does. #}
{% test unique_combination(model, columns) %}
{%- set names = [] -%}
{%- for column in columns -%}
    {%- do names.append(adapter.quote(column[1:-1]) if column.startswith('"') else column) -%}
{%- endfor -%}
select {{ names | join(', ') }}, count(*) as copies
from {{ model }}
group by {{ names | join(', ') }}
having count(*) > 1
{% endtest %}
