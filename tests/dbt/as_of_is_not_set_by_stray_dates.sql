{# Without AS_OF the refresh describes the day after the last order line that counts. Where a few lines alone set it (a pre-order, a typo), it
   stops before anything is built on them, names them, and asks for AS_OF. Two rules, since a thousandth of a small shop's lines is
   none: more than stray_days after all but stray_share of the lines; or, whatever their share, up to stray_lines lines, and no
   more than half, after a pause of more than stray_pause_days that is also three times as long as any pause before it: an
   order after a long quiet time is ordinary where there were such times before. #}
{{ config(meta={'dagster': {'ref': {'name': 'stg_order_lines'}}}) }}

with

days as (
    select ordered_on, count(*) as lines
    from {{ ref('stg_order_lines') }}
    where ordered_on is not null and is_counted
    group by ordered_on
),

paces as (
    select
        ordered_on,
        {{ days_between('lag(ordered_on) over (order by ordered_on)', 'ordered_on') }} as pause,
        sum(lines) over (order by ordered_on desc) as lines_from_here,
        sum(lines) over () as all_lines,
        max(ordered_on) over () as last_on
    from days
),

pauses as (
    select
        paces.*,
        max(pause) over (order by ordered_on rows between unbounded preceding and 1 preceding) as longest_before
    from paces
),

bulk as (
    select max(ordered_on) as bulk_until
    from pauses
    where lines_from_here > floor({{ var('stray_share') }} * all_lines)
),

starts as (
    -- The first day that is too late after all but a share of the lines.
    select min(pauses.ordered_on) as stray_from
    from pauses
    cross join bulk
    where {{ days_between('bulk.bulk_until', 'pauses.ordered_on') }} > {{ var('stray_days') }}
    union all
    select min(ordered_on)
    from pauses
    where
        pause > {{ var('stray_pause_days') }}
        and pause > 3 * coalesce(longest_before, 0)
        and lines_from_here <= {{ var('stray_lines') }}
        and 2 * lines_from_here <= all_lines
),

stray_days as (
    select min(stray_from) as stray_from
    from starts
    having min(stray_from) is not null
),

stray_lines as (
    select
        lines.order_id,
        lines.ordered_on,
        lines.source_file,
        lines.source_row,
        count(*) over () as stray_lines,
        row_number() over (order by lines.ordered_on desc, lines.source_file asc, lines.source_row asc) as place
    from {{ ref('base_order_lines') }} as lines
    inner join stray_days on lines.ordered_on >= stray_days.stray_from
    left join (
        select distinct {{ spelling_of('status') }} as status from {{ ref('order_statuses') }} where not counts
    ) as statuses on {{ spelling_of('lines.status') }} = statuses.status
    where not lines.is_refused and statuses.status is null
),

named_lines as (
    select
        max(stray_lines) as stray_lines,
        {{ sorted_list(
            "case when place <= 5 then " ~ text('ordered_on') ~ " || ' (order ' || order_id || ', ' || source_file || ', row ' || "
            ~ text('source_row') ~ " || ')' end"
        ) }} as named
    from stray_lines
),

ends as (
    select
        max(days.ordered_on) as last_on,
        max(case when days.ordered_on < stray_days.stray_from then days.ordered_on end) as bulk_until
    from days
    cross join stray_days
),

messages as (
    select
        'order_lines: AS_OF is not set, and would be the day after ' || {{ text('ends.last_on') }} || ', which '
        || case
            when named_lines.stray_lines = 1 then 'one line alone sets'
            else {{ text('named_lines.stray_lines') }} || ' lines alone set'
        end || '; all others are up to ' || {{ text('ends.bulk_until') }} || '. Late are: ' || named_lines.named
        || case when named_lines.stray_lines > 5 then ' …' else '' end || '. Set AS_OF, for example AS_OF='
        || {{ text(days_after('ends.bulk_until', 1)) }} || ', or correct the lines' as message
    from named_lines
    cross join ends
    where ends.bulk_until is not null
)

select message
from messages
where
    {% if as_of_setting() %}1 = 0 and {% endif %}message is not null
    and {{ stop_with('message') }} is null
