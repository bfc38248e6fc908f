{# Memberships on the history grid, runs of the same segment drawn together: a span starts where a member moved. #}
select
    scheme,
    member_id,
    to_segment as segment,
    as_of as valid_from,
    lead(as_of) over (partition by scheme, member_id order by as_of) as valid_to,
    lead(as_of) over (partition by scheme, member_id order by as_of) is null as is_current
from {{ ref('int_membership_moves') }}
where member_id is not null
