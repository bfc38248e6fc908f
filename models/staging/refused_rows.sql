{% for table in landing_tables() %}
select
    source_table,
    source_file,
    source_row,
    disposition,
    reasons,
    raw
from (
    {{ rejected_rows(table) | indent(4) }}
) as rejected_{{ table }}
{{ 'union all' if not loop.last }}
{% endfor %}
