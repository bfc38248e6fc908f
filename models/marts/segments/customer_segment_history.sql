{# Memberships on the history grid, runs of the same segment drawn together. #}
with grid_memberships as (

    select
        memberships.scheme,
        memberships.member_id,
        memberships.segment,
        memberships.as_of,
        lag(memberships.segment) over (
            partition by memberships.scheme, memberships.member_id order by memberships.as_of
        ) as segment_before
    from {{ ref('int_memberships') }} as memberships
    inner join {{ ref('int_as_of_dates') }} as dates
        on memberships.as_of = dates.as_of and dates.is_history_grid

),

changes as (

    select
        scheme,
        member_id,
        segment,
        as_of as valid_from
    from grid_memberships
    where segment_before is null or segment_before <> segment

),

spans as (

    select
        scheme,
        member_id,
        segment,
        valid_from,
        lead(valid_from) over (partition by scheme, member_id order by valid_from) as valid_to
    from changes

)

select
    scheme,
    member_id,
    segment,
    valid_from,
    valid_to,
    valid_to is null as is_current
from spans
