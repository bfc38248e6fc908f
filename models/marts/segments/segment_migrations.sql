{# From each date of the history grid to the next: how many were in which segment, and are in which (int_membership_moves counts
   them). A member who was not yet known at the start comes from `not_yet_known`, so that columns sum to the closing base and rows
   to the opening base. #}
select
    scheme,
    as_of_before as period_start,
    as_of as period_end,
    coalesce(from_segment, 'not_yet_known') as from_segment,
    to_segment,
    cast(sum(members) as bigint) as members
from {{ ref('int_membership_moves') }}
where as_of_before is not null
group by scheme, as_of_before, as_of, coalesce(from_segment, 'not_yet_known'), to_segment
