{%- for table in landing_tables() %}
select
    source_table,
    source_file,
    source_row,
    disposition,
    reasons,
    example,
    superseded_by,
    raw
{%- if table == 'order_lines' %}
from {{ ref('doubtful_order_lines') }}
where disposition <> 'equal'
{%- elif table == 'customer_aliases' %}
from {{ ref('refused_aliases') }}
{%- else %}
from (
    {{ rejected_rows(table) | indent(4) }}
) as rejected_{{ table }}
{%- endif %}
{{ 'union all' if not loop.last }}
{% endfor %}
