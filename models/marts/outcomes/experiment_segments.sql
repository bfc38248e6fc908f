-- The segment of every customer of an experiment in every scheme, as of the day they were assigned.
select
    members.treatment_id,
    memberships.scheme,
    members.customer_id,
    memberships.segment
from {{ ref('experiment_members') }} as members
inner join {{ ref('int_memberships') }} as memberships
    on members.assigned_on = memberships.as_of and members.customer_id = memberships.member_id
