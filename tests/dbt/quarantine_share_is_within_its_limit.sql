{# No table has more refused rows than the var max_quarantine_share allows; superseded ones are none. Tested before anything is staged, so that nothing
   is built on a landing zone that has gone bad. #}
{{ config(meta={'dagster': {'ref': {'name': 'refused_rows'}}}) }}

with

landed as (
    {{ landed_counts() | indent(4) }}
),

refusals as (
    select source_table, source_file, source_row, reasons, example, disposition from {{ ref('refused_rows') }}
    union all
    select source_table, source_file, source_row, reasons, {{ text('null') }} as example, disposition
    from {{ ref('unmatched_rows') }}
),

ranked_refusals as (
    select
        source_table,
        reasons,
        example,
        source_file || ', row ' || {{ text('source_row') }} as place,
        count(*) over (partition by source_table, reasons) as rows_refused,
        row_number() over (
            partition by source_table, reasons order by example asc nulls last, source_file asc, source_row asc
        ) as refusal_rank
    from refusals
    where disposition = 'quarantined'
),

ranked_reasons as (
    select
        source_table,
        reasons || ' (' || {{ text('rows_refused') }} || ')'
        || coalesce(', such as ' || example || ' in ', ', first in ') || place as reason,
        rows_refused,
        row_number() over (partition by source_table order by rows_refused desc, reasons asc) as reason_rank
    from ranked_refusals
    where refusal_rank = 1
),

totals as (
    select
        source_table,
        sum(rows_refused) as rows_refused,
        {{ sorted_list("case when reason_rank <= 3 then reason end") }} as reasons
    from ranked_reasons
    group by source_table
),

messages as (
    select
        landed.source_table || ': ' || {{ text('totals.rows_refused') }} || ' of ' || {{ text('landed.rows_landed') }}
        || ' rows refused, more than max_quarantine_share ({{ var("max_quarantine_share") }}) allows. Most often: '
        || totals.reasons
        || case
            when landed.source_table = 'order_lines' and totals.reasons like '%shared with a row of different content%'
                then '. Numbers of orders that restart, or that shops share, are told apart by the var order_scope'
            else ''
        end as message
    from landed
    inner join totals on landed.source_table = totals.source_table
    where totals.rows_refused > {{ var('max_quarantine_share') }} * landed.rows_landed
),

one_message as (
    select {{ sorted_list('message', '. ') }} || '. Repair the files, or say in the settings how they are written (landing_formats); table refused_rows of the build has all rows'
        as message
    from messages
)

select message
from one_message
where message is not null and {{ stop_with('message') }} is null
