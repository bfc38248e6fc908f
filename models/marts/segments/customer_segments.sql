select
    memberships.scheme,
    memberships.member_id,
    memberships.segment,
    memberships.evidence,
    memberships.reason,
    memberships.as_of
from {{ ref('int_memberships') }} as memberships
inner join {{ ref('int_current_date') }} as dates
    on memberships.as_of = dates.as_of
