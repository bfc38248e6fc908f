{# Values of optional columns that could not be read: they are null in staging, and their rows are not refused. #}
{%- set kept_rows = {'order_lines': ref('base_order_lines')} -%}
{%- set tables = [] -%}
{%- for table in landing_tables() if optional_typed_columns(landing_table(table)) -%}{%- do tables.append(table) -%}{%- endfor -%}
{#- None while dbt parses. -#}
{%- for table in landing_tables() -%}{%- set _ = source('landing', table) -%}{%- endfor %}
with landed_values as (

    {% for table in tables -%}
    select
        '{{ table }}' as source_table,
        source_file,
        source_row,
        column_name,
        spelling
    from (
        {{ unreadable_values(table, kept_rows.get(table)) | indent(8) }}
    ) as values_of_{{ table }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

columns_counted as (

    {% for table in tables -%}
    select
        '{{ table }}' as source_table,
        column_name,
        column_values,
        unreadable
    from (
        {{ column_values(table, kept_rows.get(table)) | indent(8) }}
    ) as columns_of_{{ table }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

remedies as (

    {% for table in tables -%}
    {%- set outer = loop -%}
    {%- for column in optional_typed_columns(landing_table(table)) -%}
    select '{{ table }}' as source_table, '{{ column.name }}' as column_name, '{{ reading_remedy(column) }}' as remedy
    {{ 'union all' if not (loop.last and outer.last) }}
    {% endfor -%}
    {% endfor %}

),

spellings as (

    select
        landed_values.source_table,
        landed_values.column_name,
        landed_values.spelling,
        count(*) as staged_rows
    from landed_values
    left join (
        select source_table, source_file, source_row from {{ ref('refused_rows') }}
        union all
        select source_table, source_file, source_row from {{ ref('unmatched_rows') }}
    ) as not_staged
        on
            landed_values.source_table = not_staged.source_table
            and landed_values.source_file = not_staged.source_file
            and landed_values.source_row = not_staged.source_row
    where not_staged.source_row is null
    group by landed_values.source_table, landed_values.column_name, landed_values.spelling

),

ranked_spellings as (

    select
        source_table,
        column_name,
        spelling,
        staged_rows,
        row_number() over (partition by source_table, column_name order by staged_rows desc, spelling asc) as place
    from spellings

),

shown_spellings as (

    select
        source_table,
        column_name,
        case when place <= {{ var('unreadable_spellings') }} then spelling else '(other spellings)' end as spelling,
        sum(staged_rows) as staged_rows,
        count(*) as spellings
    from ranked_spellings
    group by source_table, column_name, case when place <= {{ var('unreadable_spellings') }} then spelling else '(other spellings)' end

)

select
    cast(shown_spellings.source_table as string) as source_table,
    cast(shown_spellings.column_name as string) as {{ adapter.quote('column') }},
    shown_spellings.spelling,
    cast(shown_spellings.staged_rows as bigint) as {{ adapter.quote('rows') }},
    cast(shown_spellings.spellings as bigint) as spellings,
    cast(columns_counted.unreadable as double) / cast(columns_counted.column_values as double) as column_share,
    columns_counted.unreadable >= {{ var('unreadable_share') }} * columns_counted.column_values as is_warned,
    cast(remedies.remedy as string) as remedy
from shown_spellings
inner join columns_counted
    on
        shown_spellings.source_table = columns_counted.source_table
        and shown_spellings.column_name = columns_counted.column_name
inner join remedies
    on shown_spellings.source_table = remedies.source_table and shown_spellings.column_name = remedies.column_name
