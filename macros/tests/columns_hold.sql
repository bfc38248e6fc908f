{# What the columns of a table must be, all in one query, where a test a column would be a node a column. A column says it in its
   YAML, `config: { meta: { checks: [not_null, unique, { accepted_values: [a, b] }] } }`; the table has the test `columns_hold`.
   As in dbt's tests of these names, null is neither a copy nor an unaccepted value.

   A row for each check that does not hold: check_name, column_name, failing_rows (rows with such a value; for unique, values
   that more than one row has). The end of a run tells them (`checks_told`). #}
{% test columns_hold(model) %}
{%- set checks = column_checks(graph.nodes[context['model'].attached_node]) if execute else [] -%}
{%- set counted = checks | rejectattr('name', 'equalto', 'unique') | list -%}
with
counts as (
    select
        count(*) as row_count
        {%- for check in counted %},
        count(case when {{ check.column }} {{ 'is null' if check.name == 'not_null' else 'not in (' ~ check['values'] ~ ')' }} then 1 end) as count_{{ loop.index }}
        {%- endfor %}
    from {{ model }}
),

{# One scan counts them all; the rows of the answer are made afterwards. #}
numbers as (
    {%- for check in counted %}
    select {{ loop.index }} as number, '{{ check.name }}' as check_name, '{{ check.label }}' as column_name
    {{- ' union all' if not loop.last }}
    {%- else %}
    select 0 as number, '' as check_name, '' as column_name
    {%- endfor %}
),

found as (
    select
        numbers.check_name,
        numbers.column_name,
        case numbers.number
            {%- for check in counted %} when {{ loop.index }} then counts.count_{{ loop.index }}{% endfor %}
            else 0
        end as failing_rows
    from counts
    cross join numbers
    {%- for check in checks if check.name == 'unique' %}
    union all
    select 'unique' as check_name, '{{ check.label }}' as column_name, count(*) as failing_rows
    from (
        select {{ check.column }}
        from {{ model }}
        where {{ check.column }} is not null
        group by {{ check.column }}
        having count(*) > 1
    ) as copies
    {%- endfor %}
)

select check_name, column_name, failing_rows
from found
where failing_rows > 0
{% endtest %}

{# The checks that a table's columns declare: name, label (the column as it is called), column (as SQL writes it), values. #}
{% macro column_checks(node) %}
    {%- set checks = [] -%}
    {%- for column in node.columns.values() -%}
        {%- set sql = adapter.quote(column.name) if column.quote else column.name -%}
        {%- for check in column.config.meta.get('checks', []) -%}
            {%- if check is string -%}
                {%- do checks.append({'name': check, 'label': column.name, 'column': sql}) -%}
            {%- else -%}
                {%- set literals = [] -%}
                {%- for value in check.accepted_values -%}
                    {%- do literals.append("'" ~ value ~ "'" if value is string else value | string) -%}
                {%- endfor -%}
                {%- do checks.append({'name': 'accepted_values', 'label': column.name, 'column': sql, 'values': literals | join(', ')}) -%}
            {%- endif -%}
            {%- if checks[-1].name not in ('not_null', 'unique', 'accepted_values') -%}
                {{- exceptions.raise_compiler_error(
                    node.name ~ ', column ' ~ column.name ~ ': no check ' ~ check ~ '; not_null, unique and accepted_values are there'
                ) -}}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(checks) -}}
{% endmacro %}

{# In the end of a run: which checks of columns did not hold, a line each. The lines are read by the refresh too (warehouse/checks.py). #}
{% macro checks_told() %}
    {%- if execute -%}
        {%- for result in results if result.status == 'fail' and result.node.test_metadata.name == 'columns_hold' -%}
            {%- for row in run_query(result.node.compiled_code) -%}
                {%- do log('check failed: ' ~ tojson({
                    'run': invocation_id, 'test': result.node.unique_id, 'check': row[0], 'column': row[1], 'rows': row[2] | int
                }), info=true) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
