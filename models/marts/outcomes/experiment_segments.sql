-- The segment of every customer of an experiment in every scheme, as of the day they were assigned. Our own assignments carry
-- the segments of that day with them, so that the past need not be computed again for every day on which anyone was assigned.
with schemes as (

    select scheme
    from {{ ref('segment_schemes') }}
    where is_active

),

drawn_segments as (

    select
        members.treatment_id,
        schemes.scheme,
        members.customer_id,
        split_part(split_part(assignments.segments, ';' || schemes.scheme || '=', 2), ';', 1) as segment
    from {{ ref('experiment_members') }} as members
    inner join {{ ref('treatment_assignments') }} as assignments
        on members.treatment_id = assignments.treatment_id and members.customer_id = assignments.member_id
    cross join schemes
    where members.origin = 'drawn'

)

select
    members.treatment_id,
    memberships.scheme,
    members.customer_id,
    memberships.segment
from {{ ref('experiment_members') }} as members
inner join {{ ref('int_memberships') }} as memberships
    on members.assigned_on = memberships.as_of and members.customer_id = memberships.member_id
where members.origin = 'landed'

union all

select
    treatment_id,
    scheme,
    customer_id,
    segment
from drawn_segments
where segment <> ''
