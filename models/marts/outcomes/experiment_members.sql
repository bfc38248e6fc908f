-- Every customer of an experiment, by intention to treat: what they did after they were assigned, whatever they were sent.
with settings as (

    select
        as_of,
        outcome_days
    from {{ ref('refresh_settings') }}

),

-- Experiments run elsewhere, and our own, in which only members count who could be sent the treatment when it was assigned.
-- A treatment without a holdout is no experiment.
assignments as (

    select
        treatment_id,
        customer_id,
        arm,
        assigned_on,
        share_treated,
        'landed' as origin
    from {{ ref('stg_assignments') }}
    union all
    select
        treatment_id,
        member_id as customer_id,
        arm,
        assigned_on,
        share_treated,
        origin
    from {{ ref('treatment_assignments') }}
    where origin = 'drawn' and is_eligible and share_treated > 0 and share_treated < 1

),

-- The first assignment decides: arms are never drawn again. Before the as-of date, or there is nothing to measure.
ranked_assignments as (

    select
        assignments.treatment_id,
        assignments.customer_id,
        assignments.arm,
        assignments.assigned_on,
        assignments.share_treated,
        assignments.origin,
        row_number() over (
            partition by assignments.treatment_id, assignments.customer_id
            order by assignments.assigned_on asc, assignments.origin asc
        ) as assignment_rank
    from assignments
    inner join settings on assignments.assigned_on < settings.as_of

),

assignment_ends as (

    select
        ranked_assignments.treatment_id,
        ranked_assignments.customer_id,
        ranked_assignments.arm,
        ranked_assignments.assigned_on,
        ranked_assignments.share_treated,
        ranked_assignments.origin,
        least(settings.as_of, {{ days_after('ranked_assignments.assigned_on', 'settings.outcome_days') }}) as outcome_until
    from ranked_assignments
    cross join settings
    where ranked_assignments.assignment_rank = 1

),

-- As many days before as the outcome period has after.
assignment_starts as (

    select
        assignment_ends.treatment_id,
        assignment_ends.customer_id,
        assignment_ends.arm,
        assignment_ends.assigned_on,
        assignment_ends.share_treated,
        assignment_ends.origin,
        assignment_ends.outcome_until,
        {{ days_after('assignment_ends.assigned_on', '-settings.outcome_days') }} as past_from
    from assignment_ends
    cross join settings

),

outcome_totals as (

    select
        members.treatment_id,
        members.customer_id,
        sum(days.spend) as spend,
        sum(days.baskets) as orders
    from assignment_starts as members
    inner join {{ ref('int_customer_days') }} as days
        on
            members.customer_id = days.customer_id
            and days.day_on >= members.assigned_on
            and days.day_on < members.outcome_until
    group by members.treatment_id, members.customer_id

),

-- Baskets that came back before the outcome period ended; they are counted on the days on which they were bought.
returned_orders as (

    select
        members.treatment_id,
        members.customer_id,
        count(*) as orders
    from assignment_starts as members
    inner join {{ ref('int_returned_baskets') }} as returned
        on
            members.customer_id = returned.customer_id
            and returned.basket_on >= members.assigned_on
            and returned.basket_on < members.outcome_until
            and returned.returned_on < members.outcome_until
    group by members.treatment_id, members.customer_id

),

past_totals as (

    select
        members.treatment_id,
        members.customer_id,
        sum(days.spend) as past_spend
    from assignment_starts as members
    inner join {{ ref('int_customer_days') }} as days
        on
            members.customer_id = days.customer_id
            and days.day_on >= members.past_from
            and days.day_on < members.assigned_on
    group by members.treatment_id, members.customer_id

),

costs as (

    select
        members.treatment_id,
        members.customer_id,
        sum(touchpoints.cost) as cost
    from assignment_starts as members
    inner join {{ ref('stg_touchpoints') }} as touchpoints
        on
            members.customer_id = touchpoints.customer_id
            and members.treatment_id = touchpoints.treatment_id
            and touchpoints.touched_on >= members.assigned_on
            and touchpoints.touched_on < members.outcome_until
    group by members.treatment_id, members.customer_id

)

select
    members.treatment_id,
    members.customer_id,
    members.arm,
    members.assigned_on,
    members.outcome_until,
    cast(members.share_treated as double) as share_treated,
    {{ text('members.origin') }} as origin,
    cast(coalesce(past_totals.past_spend, 0) as double) as past_spend,
    cast(coalesce(outcome_totals.spend, 0) as double) as spend,
    cast(coalesce(outcome_totals.orders, 0) - coalesce(returned_orders.orders, 0) as bigint) as orders,
    cast(coalesce(costs.cost, 0) as double) as cost
from assignment_starts as members
left join outcome_totals
    on members.treatment_id = outcome_totals.treatment_id and members.customer_id = outcome_totals.customer_id
left join returned_orders
    on members.treatment_id = returned_orders.treatment_id and members.customer_id = returned_orders.customer_id
left join past_totals
    on members.treatment_id = past_totals.treatment_id and members.customer_id = past_totals.customer_id
left join costs
    on members.treatment_id = costs.treatment_id and members.customer_id = costs.customer_id
