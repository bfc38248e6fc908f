{# The arms that were drawn elsewhere, of whatever day: of each experiment, customer and treatment the first one, of two of one day
   the holdout. Who is held out of an experiment with several treatments is held out of each: the row of the holdout says `none`. #}
with landed as (

    select
        coalesce(experiment_id, treatment_id) as experiment_id,
        customer_id,
        treatment_id,
        arm,
        assigned_on,
        share_treated
    from {{ ref('stg_assignments') }}

),

tested_treatments as (

    select
        experiment_id,
        treatment_id,
        max(share_treated) as share_treated
    from {{ ref('stg_assignments') }}
    where arm = 'treated' and experiment_id is not null
    group by experiment_id, treatment_id

),

arms as (

    select
        experiment_id,
        customer_id,
        treatment_id,
        arm,
        assigned_on,
        share_treated
    from landed
    where not (arm = 'holdout' and treatment_id = 'none')
    union all
    select
        held_out.experiment_id,
        held_out.customer_id,
        tested.treatment_id,
        held_out.arm,
        held_out.assigned_on,
        tested.share_treated
    from landed as held_out
    inner join tested_treatments as tested on held_out.experiment_id = tested.experiment_id
    where held_out.arm = 'holdout' and held_out.treatment_id = 'none'

),

ranked_arms as (

    select
        experiment_id,
        customer_id,
        treatment_id,
        arm,
        assigned_on,
        share_treated,
        row_number() over (
            partition by experiment_id, customer_id, treatment_id
            order by assigned_on asc, case when arm = 'holdout' then 0 else 1 end asc, share_treated asc nulls last
        ) as arm_rank
    from arms

)

select
    experiment_id,
    customer_id,
    treatment_id,
    arm,
    assigned_on,
    share_treated
from ranked_arms
where arm_rank = 1
