-- What each member was really sent in the outcome period, by the segment they were in when it began.
with settings as (

    select
        as_of,
        outcome_start_on
    from {{ ref('refresh_settings') }}

),

-- Schemes of contact persons divide whom touchpoints go to; all others divide customers, and what a company's contact persons
-- were sent counts for the company.
members as (

    select
        memberships.scheme,
        memberships.member_id,
        memberships.segment
    from {{ ref('int_memberships') }} as memberships
    inner join settings on memberships.as_of = settings.outcome_start_on
    left join {{ ref('int_members') }} as customers
        on memberships.as_of = customers.as_of and memberships.member_id = customers.customer_id
    left join {{ ref('segment_schemes') }} as schemes
        on memberships.scheme = schemes.scheme and schemes.audience = 'company_contact'
    where
        memberships.segment <> 'unknown'
        and (customers.customer_id is not null or schemes.scheme is not null)

),

touches as (

    select
        touchpoints.member_id as customer_id,
        {{ spelling_of('touchpoints.channel') }} as channel,
        coalesce(
            touchpoints.campaign_type, touchpoints.treatment_id, {{ spelling_of('touchpoints.channel') }}
        ) as category
    from {{ ref('int_member_touchpoints') }} as touchpoints
    inner join settings
        on touchpoints.touched_on >= settings.outcome_start_on and touchpoints.touched_on < settings.as_of

),

deliveries as (

    select
        customer_id,
        {{ sorted_list('category', ' + ') }} as sent_set,
        {{ sorted_list('channel', ' + ') }} as channels,
        count(*) as touches
    from touches
    group by customer_id

),

member_deliveries as (

    select
        members.scheme,
        members.member_id,
        members.segment,
        coalesce(deliveries.sent_set, 'nothing') as sent_set,
        coalesce(deliveries.channels, 'nothing') as channels,
        coalesce(deliveries.touches, 0) as touches
    from members
    left join deliveries on members.member_id = deliveries.customer_id

),

-- The most common sets of the whole scheme, so that all its pairs share categories; `nothing` is a set like the others.
set_sizes as (

    select
        scheme,
        sent_set,
        count(*) as members
    from member_deliveries
    group by scheme, sent_set

),

set_ranks as (

    select
        scheme,
        sent_set,
        row_number() over (partition by scheme order by members desc, sent_set asc) as set_rank
    from set_sizes

)

select
    member_deliveries.scheme,
    member_deliveries.member_id,
    member_deliveries.segment,
    case
        when set_ranks.set_rank <= {{ var('delivery_sets') | int }} then member_deliveries.sent_set
        else 'other'
    end as sent_categories,
    member_deliveries.channels,
    cast(member_deliveries.touches as bigint) as touches
from member_deliveries
inner join set_ranks
    on member_deliveries.scheme = set_ranks.scheme and member_deliveries.sent_set = set_ranks.sent_set
