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
    segments,
    -- Rows from before there were these arms have none of them.
    case
        when arm = 'treated' then coalesce(sends_treatment_id, treatment_id)
        when arm = 'uniform' then sends_treatment_id
    end as sends_treatment_id,
    coalesce(share_uniform, 0e0) as share_uniform,
    coalesce(share_programme, 0e0) as share_programme
from {{ source('state', 'treatment_assignments') }}
where is_demo = {{ reads_demo() }}
