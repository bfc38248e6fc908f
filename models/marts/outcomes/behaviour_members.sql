-- What the members of each scheme did in the outcome period, by the segment they were in when it began.
with settings as (

    select
        as_of,
        outcome_start_on,
        past_start_on
    from {{ ref('refresh_settings') }}

),

current_customers as (

    select customers.customer_id
    from {{ ref('int_members') }} as customers
    inner join settings on customers.as_of = settings.outcome_start_on

),

-- Only customers can have outcomes. A contact person's are those of the company, which counts once in each of its segments.
members as (

    select
        memberships.scheme,
        memberships.member_id,
        memberships.segment,
        memberships.member_id as customer_id
    from {{ ref('int_memberships') }} as memberships
    inner join settings on memberships.as_of = settings.outcome_start_on
    inner join current_customers on memberships.member_id = current_customers.customer_id
    left join {{ ref('segment_schemes') }} as contact_schemes
        on memberships.scheme = contact_schemes.scheme and contact_schemes.audience = 'company_contact'
    where memberships.segment <> 'unknown' and contact_schemes.scheme is null
    union all
    select
        memberships.scheme,
        min(memberships.member_id) as member_id,
        memberships.segment,
        contacts.company_id as customer_id
    from {{ ref('int_memberships') }} as memberships
    inner join settings on memberships.as_of = settings.outcome_start_on
    inner join {{ ref('segment_schemes') }} as contact_schemes
        on memberships.scheme = contact_schemes.scheme and contact_schemes.audience = 'company_contact'
    inner join {{ ref('stg_company_contacts') }} as contacts on memberships.member_id = contacts.person_id
    inner join current_customers on contacts.company_id = current_customers.customer_id
    where memberships.segment <> 'unknown'
    group by memberships.scheme, memberships.segment, contacts.company_id

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

    select distinct touchpoints.member_id as customer_id
    from {{ ref('int_member_touchpoints') }} as touchpoints
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
    union
    select contacts.company_id as customer_id
    from {{ ref('stg_responses') }} as responses
    inner join settings
        on responses.responded_on >= settings.outcome_start_on and responses.responded_on < settings.as_of
    inner join {{ ref('stg_company_contacts') }} as contacts on responses.customer_id = contacts.person_id
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
    left join past_totals on members.customer_id = past_totals.customer_id
    left join outcome_totals on members.customer_id = outcome_totals.customer_id
    left join returned_orders on members.customer_id = returned_orders.customer_id
    left join touched_customers on members.customer_id = touched_customers.customer_id
    left join responding_customers on members.customer_id = responding_customers.customer_id

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
