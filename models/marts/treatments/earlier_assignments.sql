-- What earlier refreshes assigned, of the landing zone that is read now: the demo's members are no one else's.
select
    scheme,
    member_id,
    treatment_id,
    segment,
    arm,
    assigned_on,
    share_treated,
    origin,
    is_eligible,
    segments
from {{ source('state', 'treatment_assignments') }}
where is_demo = {{ reads_demo() }}
