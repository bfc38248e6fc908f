-- What earlier refreshes assigned, of the landing zone that is read now: the demo's members are no one else's. What an id was
-- assigned that has since become another customer's alias is that customer's; of two arms of one treatment the first one stays.
with assigned as (

    select
        assignments.*,
        {{ canonical_customer('assignments', 'member_id') }} as canonical_id
    from {{ source('state', 'treatment_assignments') }} as assignments
    {{ with_customer_ids('assignments', 'member_id') }}
    where assignments.is_demo = {{ reads_demo() }}

),

ranked as (

    select
        assigned.*,
        row_number() over (
            partition by scheme, canonical_id, treatment_id
            order by assigned_on asc, case when member_id = canonical_id then 0 else 1 end asc, member_id asc
        ) as place
    from assigned

)

select
    scheme,
    canonical_id as member_id,
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
from ranked
where place = 1
