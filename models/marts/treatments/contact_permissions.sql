-- Whether each member may be addressed on each channel that a treatment uses, by all that is on record: sending happens now, so
-- a consent or an objection counts also where it was recorded after the as-of date. Deny by default; of a consent and an objection,
-- the later one decides, and of two at the same moment the one that denies.
{%- set assumed = var('assume_consent') or [] %}

with members as (

    select distinct member_id
    from {{ ref('customer_segments') }}

),

used_channels as (

    select distinct lower(trim(treatments.channel)) as channel
    from {{ ref('treatments') }} as treatments
    inner join {{ ref('segment_schemes') }} as schemes on treatments.scheme = schemes.scheme
    where schemes.is_active and trim(treatments.channel) <> ''

),

ranked_consents as (

    select
        consents.customer_id,
        lower(trim(consents.channel)) as channel,
        consents.opted_in,
        consents.recorded_at,
        row_number() over (
            partition by consents.customer_id, lower(trim(consents.channel))
            order by consents.recorded_at desc, consents.opted_in asc
        ) as consent_rank
    from {{ ref('stg_consents') }} as consents

),

-- An objection is to the channel of the message it answers; where that is not on record, to all of them.
objections as (

    select
        responses.customer_id,
        lower(trim(touchpoints.channel)) as channel,
        max(responses.responded_at) as objected_at
    from {{ ref('stg_responses') }} as responses
    left join {{ ref('stg_touchpoints') }} as touchpoints
        on responses.touchpoint_id = touchpoints.touchpoint_id and responses.customer_id = touchpoints.customer_id
    where responses.kind = 'unsubscribe'
    group by responses.customer_id, lower(trim(touchpoints.channel))

),

channel_records as (

    select
        members.member_id,
        used_channels.channel,
        consents.opted_in,
        consents.recorded_at,
        case
            when objections.objected_at is null or general_objections.objected_at > objections.objected_at
                then general_objections.objected_at
            else objections.objected_at
        end as objected_at
    from members
    cross join used_channels
    left join ranked_consents as consents
        on
            members.member_id = consents.customer_id
            and used_channels.channel = consents.channel
            and consents.consent_rank = 1
    left join objections
        on members.member_id = objections.customer_id and used_channels.channel = objections.channel
    left join objections as general_objections
        on members.member_id = general_objections.customer_id and general_objections.channel is null

),

permissions as (

    select
        member_id,
        channel,
        case
            when objected_at >= coalesce(recorded_at, objected_at) then 'unsubscribed'
            when opted_in then 'consent'
            when not opted_in then 'refused'
            {%- if assumed %}
            when channel in ('{{ assumed | map('lower') | join("', '") }}') then 'assumed'
            {%- endif %}
            else 'no record'
        end as permission
    from channel_records

)

select
    member_id,
    channel,
    permission,
    permission in ('consent', 'assumed') as is_permitted
from permissions
