{# No table has more refused rows than the var max_quarantine_share allows; superseded ones are none. Tested before anything is staged, so that nothing
   is built on a landing zone that has gone bad. #}
{{ config(meta={'dagster': {'ref': {'name': 'refused_rows'}}}) }}

with

landed as (
    {{ landed_counts() | indent(4) }}
),

refused as (
    select source_table, reasons, min(example) as example, count(*) as rows_refused
    from (
        select source_table, reasons, example, disposition from {{ ref('refused_rows') }}
        union all
        select source_table, reasons, {{ text('null') }} as example, disposition from {{ ref('unmatched_rows') }}
    ) as refusals
    where disposition = 'quarantined'
    group by source_table, reasons
),

ranked_reasons as (
    select
        source_table,
        reasons || ' (' || {{ text('rows_refused') }} || ')' || coalesce(', such as ' || example, '') as reason,
        rows_refused,
        row_number() over (partition by source_table order by rows_refused desc, reasons asc) as reason_rank
    from refused
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
        || totals.reasons as message
    from landed
    inner join totals on landed.source_table = totals.source_table
    where totals.rows_refused > {{ var('max_quarantine_share') }} * landed.rows_landed
),

one_message as (
    select {{ sorted_list('message', '. ') }} || '. All of them are in refused_rows' as message
    from messages
)

select message
from one_message
where message is not null and {{ stop_with('message') }} is null
