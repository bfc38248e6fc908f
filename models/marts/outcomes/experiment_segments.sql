-- The segment of every customer of an experiment in every scheme, as of the day they were assigned. Our own assignments carry
-- the segments of that day with them, so that the past need not be computed again for every day on which anyone was assigned.
with schemes as (

    select scheme
    from {{ ref('segment_schemes') }}
    where is_active

),

-- Each is written scheme=segment.
drawn_segments as (

    select
        experiment_id,
        customer_id,
        {{ each_part('segments', ';') }} as scheme_segment
    from {{ ref('experiment_members') }}
    where origin = 'drawn'

)

select
    members.experiment_id,
    memberships.scheme,
    members.customer_id,
    memberships.segment
from {{ ref('experiment_members') }} as members
inner join {{ ref('int_memberships') }} as memberships
    on members.assigned_on = memberships.as_of and members.customer_id = memberships.member_id
where members.origin = 'landed'

union all

select
    drawn_segments.experiment_id,
    schemes.scheme,
    drawn_segments.customer_id,
    substr(drawn_segments.scheme_segment, length(schemes.scheme) + 2) as segment
from drawn_segments
inner join schemes on split_part(drawn_segments.scheme_segment, '=', 1) = schemes.scheme
