{{ config(materialized='kept', by='as_of', inputs='int_history_dates') }}

{# From each date of the history grid to the next, by scheme: how many members went from which segment to which, and, of those
   that changed or are new, who. The rest are counted in one row without a member. #}
with spans as (

    {# Its dates are named here: no filter from outside reaches what is read twice. #}
    select
        as_of,
        as_of_before
    from {{ missing(ref('int_history_dates')) }}

),

closing as (

    select
        spans.as_of,
        spans.as_of_before,
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
    cast(count(*) as bigint) as members
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
    closing.segment
