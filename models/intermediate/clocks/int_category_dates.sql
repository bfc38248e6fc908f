{# The as-of dates that int_customer_categories and int_customer_category_baskets hold, which are not kept: those that a model
   kept by as-of date has to make from them now, and the current one. Readers are found in dbt's graph, so a scheme that is added
   is one. An ordinary model among them gets every date, unless it is tagged `reads_today`. #}
{%- set conditions = ['dates.is_current'] -%}
{%- if backfill_dates() %}{% do conditions.append('facts.as_of in (' ~ backfill_dates() ~ ')') %}{% endif -%}
{%- set tables = ['int_customer_categories', 'int_customer_category_baskets'] -%}
{%- set readers = [] -%}
{%- for node in (graph.nodes.values() if execute else []) if node.resource_type == 'model' and 'reads_today' not in node.config.tags -%}
    {%- for name in tables if 'model.' ~ project_name ~ '.' ~ name in node.depends_on.nodes and node not in readers -%}
        {%- do readers.append(node) -%}
    {%- endfor -%}
{%- endfor %}

select
    facts.as_of,
    facts.window_start_on,
    facts.made_from
from {{ ref('int_fact_dates') }} as facts
inner join {{ ref('int_as_of_dates') }} as dates on facts.as_of = dates.as_of
{%- for node in readers %}
{%- set reader = adapter.get_relation(node.database, node.schema, node.alias) %}
{%- if reader and node.config.by == 'as_of' and not flags.FULL_REFRESH %}
left join (select distinct as_of, made_from from {{ reader }}) as reader_{{ loop.index }}
    on facts.as_of = reader_{{ loop.index }}.as_of and facts.made_from = reader_{{ loop.index }}.made_from
{%- do conditions.append('reader_' ~ loop.index ~ '.as_of is null') %}
{%- else %}
{%- do conditions.append('1 = 1') %}
{%- endif %}
{%- endfor %}
where {{ conditions | join(' or ') }}
