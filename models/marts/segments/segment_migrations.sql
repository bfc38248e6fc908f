{# From each date of the history grid to the next: who was in which segment, and is in which. A member who was not yet
   known at the start comes from `not_yet_known`, so that columns sum to the closing base and rows to the opening base. #}
with grid as (

    select
        as_of as period_start,
        lead(as_of) over (order by as_of) as period_end
    from {{ ref('int_as_of_dates') }}
    where is_history_grid

),

opening as (

    select
        grid.period_start,
        grid.period_end,
        memberships.scheme,
        memberships.member_id,
        memberships.segment
    from grid
    inner join {{ ref('int_memberships') }} as memberships on grid.period_start = memberships.as_of
    where grid.period_end is not null

),

closing as (

    select
        grid.period_start,
        grid.period_end,
        memberships.scheme,
        memberships.member_id,
        memberships.segment
    from grid
    inner join {{ ref('int_memberships') }} as memberships on grid.period_end = memberships.as_of

)

select
    closing.scheme,
    closing.period_start,
    closing.period_end,
    coalesce(opening.segment, 'not_yet_known') as from_segment,
    closing.segment as to_segment,
    cast(count(*) as bigint) as members
from closing
left join opening
    on
        closing.period_start = opening.period_start
        and closing.scheme = opening.scheme
        and closing.member_id = opening.member_id
group by
    closing.scheme, closing.period_start, closing.period_end, coalesce(opening.segment, 'not_yet_known'), closing.segment
