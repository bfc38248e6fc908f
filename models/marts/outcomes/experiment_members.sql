-- Every customer of an experiment, by intention to treat: what they did after they were assigned, whatever they were sent.
with settings as (

    select
        as_of,
        outcome_days
    from {{ ref('refresh_settings') }}

),

-- What was run elsewhere has an end of its own: new arms of ours are no part of it.
landed_experiments as (

    select distinct coalesce(landed.experiment_id, landed.treatment_id) as experiment_id
    from {{ ref('stg_assignments') }} as landed
    inner join settings on landed.assigned_on < settings.as_of

),

-- Experiments run elsewhere, and our own, in which only members count who could be sent the treatment when it was assigned.
-- A treatment without a holdout is no experiment. Where several treatments share an experiment, a row's share is that of its
-- own arm; where the treatment is the experiment, it is the share of the treated.
assignments as (

    select
        coalesce(experiment_id, treatment_id) as experiment_id,
        customer_id,
        case when arm = 'holdout' then 'none' else treatment_id end as treatment_id,
        assigned_on,
        case when experiment_id is null and arm = 'holdout' then 1 - share_treated else share_treated end as arm_share,
        ends_on,
        'landed' as origin,
        cast(null as string) as segments,
        'all' as stratum,
        treatment_id as sent_treatment_id
    from {{ ref('stg_assignments') }}
    union all
    select
        case when landed.experiment_id is null then drawn.treatment_id else 'drawn_' || drawn.treatment_id end
            as experiment_id,
        drawn.member_id as customer_id,
        case when drawn.arm = 'holdout' then 'none' else drawn.treatment_id end as treatment_id,
        drawn.assigned_on,
        -- Of those who were drawn neither into the uniform arm nor out of the programme.
        case
            when drawn.arm = 'holdout' then 1 - drawn.share_treated - drawn.share_uniform
            else drawn.share_treated
        end / (1 - drawn.share_uniform) as arm_share,
        cast(null as date) as ends_on,
        drawn.origin,
        drawn.segments,
        'all' as stratum,
        drawn.treatment_id as sent_treatment_id
    from {{ ref('treatment_assignments') }} as drawn
    left join landed_experiments as landed on drawn.treatment_id = landed.experiment_id
    where
        drawn.origin = 'drawn'
        and drawn.is_eligible
        and drawn.arm in ('treated', 'holdout')
        and drawn.share_treated > 0
        and drawn.share_treated + drawn.share_uniform < 1
    union all
    -- A scheme with a treatment for all: each segment its own, one for all, nothing. Shares may differ between treatments, so
    -- each is a stratum.
    select
        'uniform_' || scheme as experiment_id,
        member_id as customer_id,
        case when arm = 'treated' then 'by_segment' when arm = 'uniform' then 'uniform' else 'none' end as treatment_id,
        assigned_on,
        case
            when arm = 'treated' then share_treated
            when arm = 'uniform' then share_uniform
            else 1 - share_treated - share_uniform
        end as arm_share,
        cast(null as date) as ends_on,
        origin,
        segments,
        treatment_id as stratum,
        coalesce(sends_treatment_id, 'none') as sent_treatment_id
    from {{ ref('treatment_assignments') }}
    where
        origin = 'drawn'
        and is_eligible
        and arm in ('treated', 'uniform', 'holdout')
        and share_treated > 0
        and share_uniform > 0
        and share_treated + share_uniform < 1
    union all
    -- The whole programme against nothing of any scheme: whoever could be sent anything on the day of their first arms.
    select
        'programme' as experiment_id,
        member_id as customer_id,
        case when max(arm) = 'programme' and min(arm) = 'programme' then 'none' else 'programme' end as treatment_id,
        assigned_on,
        case
            when max(arm) = 'programme' and min(arm) = 'programme' then max(share_programme)
            else 1 - max(share_programme)
        end as arm_share,
        cast(null as date) as ends_on,
        'drawn' as origin,
        max(segments) as segments,
        'all' as stratum,
        cast(null as string) as sent_treatment_id
    from {{ ref('treatment_assignments') }}
    where origin = 'drawn' and is_eligible and share_programme > 0 and share_programme < 1
    group by member_id, assigned_on

),

-- An experiment has one end, the latest that a row of it states.
ends as (

    select
        experiment_id,
        max(ends_on) as ends_on
    from assignments
    group by experiment_id

),

-- The first assignment decides: arms are never drawn again. Before the as-of date and the end, or there is nothing to measure.
ranked_assignments as (

    select
        assignments.experiment_id,
        assignments.customer_id,
        assignments.treatment_id,
        assignments.assigned_on,
        assignments.arm_share,
        assignments.origin,
        assignments.segments,
        assignments.stratum,
        assignments.sent_treatment_id,
        ends.ends_on,
        row_number() over (
            partition by assignments.experiment_id, assignments.customer_id
            order by
                assignments.assigned_on asc,
                assignments.origin asc,
                -- Of two that landed of one day, by two ids of one customer, the holdout: they are sent nothing (int_landed_arms).
                case when assignments.origin <> 'drawn' and assignments.treatment_id = 'none' then 0 else 1 end asc,
                assignments.treatment_id asc,
                assignments.arm_share asc nulls last,
                assignments.stratum asc
        ) as assignment_rank
    from assignments
    inner join settings on assignments.assigned_on < settings.as_of
    inner join ends on assignments.experiment_id = ends.experiment_id
    where ends.ends_on is null or assignments.assigned_on < ends.ends_on

),

-- Only customers have outcomes. What a contact person was assigned is to move the company, so the outcomes are the company's, and
-- it counts once an experiment: as itself, else by the person who was assigned first. A person who buys counts as themselves.
buyers as (

    select
        firsts.experiment_id,
        firsts.customer_id,
        coalesce(companies.customer_id, firsts.customer_id) as buyer_id,
        row_number() over (
            partition by firsts.experiment_id, coalesce(companies.customer_id, firsts.customer_id)
            order by
                case when companies.customer_id is null then 0 else 1 end asc,
                firsts.assigned_on asc,
                firsts.customer_id asc
        ) as buyer_rank
    from ranked_assignments as firsts
    left join {{ ref('int_customers') }} as customers on firsts.customer_id = customers.customer_id
    left join {{ ref('stg_company_contacts') }} as contacts
        on case when customers.customer_id is null then firsts.customer_id end = contacts.person_id
    left join {{ ref('int_customers') }} as companies on contacts.company_id = companies.customer_id
    where firsts.assignment_rank = 1

),

windows as (

    select
        ranked_assignments.experiment_id,
        ranked_assignments.customer_id,
        buyers.buyer_id,
        ranked_assignments.treatment_id,
        ranked_assignments.assigned_on,
        ranked_assignments.arm_share,
        ranked_assignments.origin,
        ranked_assignments.segments,
        ranked_assignments.stratum,
        ranked_assignments.sent_treatment_id,
        ranked_assignments.ends_on,
        {{ days_after('ranked_assignments.assigned_on', 'settings.outcome_days') }} as window_until
    from ranked_assignments
    inner join buyers
        on
            ranked_assignments.experiment_id = buyers.experiment_id
            and ranked_assignments.customer_id = buyers.customer_id
            and buyers.buyer_rank = 1
    cross join settings
    where ranked_assignments.assignment_rank = 1

),

-- Until when those who came in before were observed: the first of a day sees the day before, the others a window that is open.
earlier_windows as (

    select
        windows.*,
        max(window_until) over (
            partition by experiment_id order by assigned_on asc rows between unbounded preceding and 1 preceding
        ) as earlier_until
    from windows

),

-- Our own test of a treatment has closed once nobody came in for as long as outcomes are counted; who comes in later would open it
-- again. Those of a uniform arm and of the programme have no other id to be run again under, and what was run elsewhere is what was
-- landed.
reopenings as (

    select
        earlier_windows.*,
        min(
            case
                when
                    origin = 'drawn'
                    and experiment_id in (sent_treatment_id, 'drawn_' || sent_treatment_id)
                    and earlier_until <= assigned_on
                    then assigned_on
            end
        ) over (partition by experiment_id) as reopened_on
    from earlier_windows

),

last_windows as (

    select
        experiment_id,
        customer_id,
        buyer_id,
        treatment_id,
        assigned_on,
        arm_share,
        origin,
        segments,
        stratum,
        sent_treatment_id,
        ends_on,
        window_until,
        max(window_until) over (partition by experiment_id) as last_window_until
    from reopenings
    where reopened_on is null or assigned_on < reopened_on

),

assignment_ends as (

    select
        last_windows.experiment_id,
        last_windows.customer_id,
        last_windows.buyer_id,
        last_windows.treatment_id,
        last_windows.assigned_on,
        last_windows.arm_share,
        last_windows.origin,
        last_windows.segments,
        last_windows.stratum,
        last_windows.sent_treatment_id,
        least(last_windows.last_window_until, coalesce(last_windows.ends_on, last_windows.last_window_until)) as closes_on,
        least(settings.as_of, last_windows.window_until, coalesce(last_windows.ends_on, last_windows.window_until))
            as outcome_until
    from last_windows
    cross join settings

),

-- As many days before as the outcome period has after.
assignment_starts as (

    select
        assignment_ends.experiment_id,
        assignment_ends.customer_id,
        assignment_ends.buyer_id,
        assignment_ends.treatment_id,
        assignment_ends.assigned_on,
        assignment_ends.arm_share,
        assignment_ends.origin,
        assignment_ends.segments,
        assignment_ends.stratum,
        assignment_ends.sent_treatment_id,
        assignment_ends.closes_on,
        assignment_ends.outcome_until,
        {{ days_after('assignment_ends.assigned_on', '-settings.outcome_days') }} as past_from
    from assignment_ends
    cross join settings

),

outcome_totals as (

    select
        members.experiment_id,
        members.customer_id,
        sum(days.spend) as spend,
        sum(days.baskets) as orders
    from assignment_starts as members
    inner join {{ ref('int_customer_days') }} as days
        on
            members.buyer_id = days.customer_id
            and days.day_on >= members.assigned_on
            and days.day_on < members.outcome_until
    group by members.experiment_id, members.customer_id

),

-- Baskets that came back before the period in which they were bought ended; they are counted on the days on which they were.
returned_orders as (

    select
        members.experiment_id,
        members.customer_id,
        sum(
            case
                when
                    returned.basket_on >= members.assigned_on
                    and returned.basket_on < members.outcome_until
                    and returned.returned_on < members.outcome_until
                    then 1
                else 0
            end
        ) as orders,
        sum(
            case when returned.basket_on < members.assigned_on and returned.returned_on < members.assigned_on then 1 else 0 end
        ) as past_orders
    from assignment_starts as members
    inner join {{ ref('int_returned_baskets') }} as returned
        on members.buyer_id = returned.customer_id and returned.basket_on >= members.past_from
    group by members.experiment_id, members.customer_id

),

past_totals as (

    select
        members.experiment_id,
        members.customer_id,
        sum(days.spend) as past_spend,
        sum(days.baskets) as past_orders
    from assignment_starts as members
    inner join {{ ref('int_customer_days') }} as days
        on
            members.buyer_id = days.customer_id
            and days.day_on >= members.past_from
            and days.day_on < members.assigned_on
    group by members.experiment_id, members.customer_id

),

-- What the member's own arm sent, to a company through its contact persons: a holdout is sent nothing, whatever slipped through.
-- The programme sends every treatment.
arm_costs as (

    select
        members.experiment_id,
        members.customer_id,
        touchpoints.cost
    from assignment_starts as members
    inner join {{ ref('int_member_touchpoints') }} as touchpoints
        on
            members.buyer_id = touchpoints.member_id
            and members.sent_treatment_id = touchpoints.treatment_id
            and touchpoints.touched_on >= members.assigned_on
            and touchpoints.touched_on < members.outcome_until
    where members.treatment_id <> 'none'
    union all
    select
        members.experiment_id,
        members.customer_id,
        touchpoints.cost
    from assignment_starts as members
    inner join {{ ref('int_member_touchpoints') }} as touchpoints
        on
            members.buyer_id = touchpoints.member_id
            and touchpoints.touched_on >= members.assigned_on
            and touchpoints.touched_on < members.outcome_until
    where
        members.treatment_id <> 'none'
        and members.sent_treatment_id is null
        and touchpoints.treatment_id is not null

),

costs as (

    select
        experiment_id,
        customer_id,
        sum(cost) as cost
    from arm_costs
    group by experiment_id, customer_id

)

select
    members.experiment_id,
    members.customer_id,
    cast(members.treatment_id as string) as treatment_id,
    cast(case when members.treatment_id = 'none' then 'holdout' else 'treated' end as string) as arm,
    members.assigned_on,
    members.outcome_until,
    cast({{ days_between('members.assigned_on', 'members.outcome_until') }} as integer) as observed_days,
    members.closes_on,
    members.closes_on <= settings.as_of as is_closed,
    -- 1 - 0.9 is a rounding error below 0.1.
    cast(round(members.arm_share, 12) as double) as arm_share,
    cast(members.stratum as string) as stratum,
    cast(members.origin as string) as origin,
    cast(members.segments as string) as segments,
    cast(coalesce(past_totals.past_spend, 0) as double) as past_spend,
    cast(coalesce(past_totals.past_orders, 0) - coalesce(returned_orders.past_orders, 0) as bigint) as past_orders,
    cast(coalesce(outcome_totals.spend, 0) as double) as spend,
    cast(coalesce(outcome_totals.orders, 0) - coalesce(returned_orders.orders, 0) as bigint) as orders,
    cast(coalesce(costs.cost, 0) as double) as cost
from assignment_starts as members
cross join settings
left join outcome_totals
    on members.experiment_id = outcome_totals.experiment_id and members.customer_id = outcome_totals.customer_id
left join returned_orders
    on members.experiment_id = returned_orders.experiment_id and members.customer_id = returned_orders.customer_id
left join past_totals
    on members.experiment_id = past_totals.experiment_id and members.customer_id = past_totals.customer_id
left join costs
    on members.experiment_id = costs.experiment_id and members.customer_id = costs.customer_id
