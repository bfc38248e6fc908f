{%- set kept_rows = {'order_lines': ref('base_order_lines')} -%}
{% for table in landing_tables() %}
select
    source_table,
    source_file,
    source_row,
    disposition,
    reasons,
    raw
from (
    {{ rejected_rows(table, kept_rows.get(table)) | indent(4) }}
) as rejected_{{ table }}
{{ 'union all' if not loop.last }}
{% endfor %}
