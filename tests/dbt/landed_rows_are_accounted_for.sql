{# Every landed row is staged, refused or a copy, in every table. #}
{{ config(meta={'dagster': {'ref': {'name': 'row_account'}}}) }}

with

messages as (
    select
        source_table || ': ' || {{ text('rows_landed') }} || ' rows landed, but ' || {{ text('rows_staged') }} || ' staged, '
        || {{ text('rows_quarantined') }} || ' quarantined and ' || {{ text('rows_duplicate') }} || ' copies' as message
    from {{ ref('row_account') }}
    where rows_landed <> rows_staged + rows_quarantined + rows_duplicate
),

one_message as (
    select {{ sorted_list('message', '. ') }} as message
    from messages
)

select message
from one_message
where message is not null and {{ stop_with('message') }} is null
