{{ config(**kept('int_history_dates', 'as_of')) }}

{# From each date of the history grid to the next, by scheme: how many members went from which segment to which, and, of those
   that changed or are new, who. The rest are counted in one row without a member. #}
with dates as (

    {{ partitions_to_make('int_history_dates', 'as_of') | indent(4) }}

),

spans as (

    select
        dates.as_of,
        dates.made_from,
        grid.as_of_before
    from dates
    inner join {{ ref('int_history_dates') }} as grid on dates.as_of = grid.as_of

),

closing as (

    select
        spans.as_of,
        spans.as_of_before,
        spans.made_from,
        memberships.scheme,
        memberships.member_id,
        memberships.segment
    from spans
    inner join {{ ref('int_memberships') }} as memberships on spans.as_of = memberships.as_of

),

opening as (

    select
        spans.as_of,
        memberships.scheme,
        memberships.member_id,
        memberships.segment
    from spans
    inner join {{ ref('int_memberships') }} as memberships on spans.as_of_before = memberships.as_of

)

select
    closing.as_of,
    closing.as_of_before,
    closing.scheme,
    case when opening.segment is null or opening.segment <> closing.segment then closing.member_id end as member_id,
    opening.segment as from_segment,
    closing.segment as to_segment,
    cast(count(*) as bigint) as members,
    closing.made_from
from closing
left join opening
    on
        closing.as_of = opening.as_of
        and closing.scheme = opening.scheme
        and closing.member_id = opening.member_id
group by
    closing.as_of,
    closing.as_of_before,
    closing.scheme,
    case when opening.segment is null or opening.segment <> closing.segment then closing.member_id end,
    opening.segment,
    closing.segment,
    closing.made_from
