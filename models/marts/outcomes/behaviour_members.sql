-- What the members of each scheme did in the outcome period, by the segment they were in when it began.
with settings as (

    select
        as_of,
        outcome_start_on,
        past_start_on
    from {{ ref('refresh_settings') }}

),

-- Only customers can have outcomes: members of another kind (contact persons, prospects) are left out here.
members as (

    select
        memberships.scheme,
        memberships.member_id,
        memberships.segment
    from {{ ref('int_memberships') }} as memberships
    inner join settings on memberships.as_of = settings.outcome_start_on
    inner join {{ ref('int_members') }} as customers
        on memberships.as_of = customers.as_of and memberships.member_id = customers.customer_id
    where memberships.segment <> 'unknown'

),

-- Sums of decimals, so that they do not depend on the order of rows.
past_totals as (

    select
        days.customer_id,
        cast(sum(days.spend) as double) as past_spend
    from {{ ref('int_customer_days') }} as days
    inner join settings on days.day_on >= settings.past_start_on and days.day_on < settings.outcome_start_on
    group by days.customer_id

),

outcome_totals as (

    select
        days.customer_id,
        sum(days.spend) as spend,
        sum(days.baskets) as orders,
        sum(days.discount_amount) as discount_amount,
        sum(days.coupon_amount) as coupon_amount,
        sum(days.gross_amount) as gross_amount,
        sum(days.private_label_amount) as private_label_amount
    from {{ ref('int_customer_days') }} as days
    inner join settings on days.day_on >= settings.outcome_start_on and days.day_on < settings.as_of
    group by days.customer_id

),

-- Baskets of the period that came back by its end; they are counted on the days on which they were bought.
returned_orders as (

    select
        returned.customer_id,
        count(*) as orders
    from {{ ref('int_returned_baskets') }} as returned
    inner join settings
        on
            returned.basket_on >= settings.outcome_start_on
            and returned.basket_on < settings.as_of
            and returned.returned_on < settings.as_of
    group by returned.customer_id

),

touched_customers as (

    select distinct touchpoints.customer_id
    from {{ ref('stg_touchpoints') }} as touchpoints
    inner join settings
        on touchpoints.touched_on >= settings.outcome_start_on and touchpoints.touched_on < settings.as_of

),

-- To unsubscribe is an answer, but not the one that anything was sent for.
responding_customers as (

    select distinct responses.customer_id
    from {{ ref('stg_responses') }} as responses
    inner join settings
        on responses.responded_on >= settings.outcome_start_on and responses.responded_on < settings.as_of
    where responses.kind <> 'unsubscribe'

),

outcomes as (

    select
        members.scheme,
        members.member_id,
        members.segment,
        coalesce(past_totals.past_spend, 0e0) as past_spend,
        coalesce(outcome_totals.spend, 0) as spend,
        coalesce(outcome_totals.orders, 0) - coalesce(returned_orders.orders, 0) as orders,
        {{ discount_share('outcome_totals.discount_amount', 'outcome_totals.coupon_amount', 'outcome_totals.gross_amount') }}
            as discount_share,
        {{ private_label_share('outcome_totals.private_label_amount', 'outcome_totals.spend') }} as private_label_share,
        case when touched_customers.customer_id is not null then
            case when responding_customers.customer_id is not null then 1 else 0 end
        end as responded
    from members
    left join past_totals on members.member_id = past_totals.customer_id
    left join outcome_totals on members.member_id = outcome_totals.customer_id
    left join returned_orders on members.member_id = returned_orders.customer_id
    left join touched_customers on members.member_id = touched_customers.customer_id
    left join responding_customers on members.member_id = responding_customers.customer_id

),

spend_ranks as (

    select
        scheme,
        member_id,
        -- rank() - 1 is how many members spent strictly less: equal spend shares a quintile.
        rank() over (partition by scheme order by past_spend asc) - 1 as members_with_less,
        count(*) over (partition by scheme) as scheme_members
    from outcomes

)

select
    outcomes.scheme,
    outcomes.member_id,
    outcomes.segment,
    outcomes.past_spend,
    cast(1 + floor(cast(5 * spend_ranks.members_with_less as double) / spend_ranks.scheme_members) as integer)
        as past_spend_quintile,
    cast(outcomes.spend as double) as spend,
    cast(outcomes.orders as bigint) as orders,
    -- Rounded, so that equal shares of different amounts stay equal: ranks see the last bit.
    cast(round(outcomes.discount_share, 12) as double) as discount_share,
    cast(round(outcomes.private_label_share, 12) as double) as private_label_share,
    cast(outcomes.responded as integer) as responded
from outcomes
inner join spend_ranks on outcomes.scheme = spend_ranks.scheme and outcomes.member_id = spend_ranks.member_id
