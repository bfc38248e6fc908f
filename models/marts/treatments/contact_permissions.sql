-- Whether each member may be addressed on each channel that a treatment uses, by all that is on record: sending happens now, so
-- a consent or an objection counts also where it was recorded after the as-of date. A company is never addressed: of its contact
-- persons the one is, under their own consent, who may be; where several may, the first in the order of the buying roles.
-- Deny by default; of a consent and an objection, the later one decides, and of two at the same moment the one that denies. A refusal
-- or an unsubscribe of which the day alone is known stands at the end of that local day: it may have followed any consent of it.
{%- set assumed = var('assume_consent') or [] %}

with members as (

    select member_id
    from {{ ref('customer_segments') }}
    union
    select customer_id as member_id
    from {{ ref('int_prospect_profiles') }}
    union
    select person_id as member_id
    from {{ ref('stg_company_contacts') }}

),

companies as (

    select customer_id
    from {{ ref('int_customers') }}
    where kind = 'company'
    union
    select customer_id
    from {{ ref('int_prospect_profiles') }}
    where kind = 'company'

),

-- Whom to speak to for each member: its contact persons for a company, else the member.
addressees as (

    select
        members.member_id,
        members.member_id as person_id,
        0 as role_order
    from members
    left join companies on members.member_id = companies.customer_id
    where companies.customer_id is null
    union all
    select
        members.member_id,
        contacts.person_id,
        coalesce(roles.sort_order, 1000) as role_order
    from members
    inner join companies on members.member_id = companies.customer_id
    inner join {{ ref('stg_company_contacts') }} as contacts on members.member_id = contacts.company_id
    left join {{ ref('int_job_titles') }} as titles on {{ spelling_of('contacts.job_title') }} = titles.spelling
    left join {{ ref('buying_roles') }} as roles on titles.role = roles.role

),

persons as (

    select distinct person_id
    from addressees

),

used_channels as (

    select distinct {{ spelling_of('treatments.channel') }} as channel
    from {{ ref('treatments') }} as treatments
    inner join {{ ref('segment_schemes') }} as schemes on treatments.scheme = schemes.scheme
    where schemes.is_active and {{ trimmed('treatments.channel') }} <> ''

),

ranked_consents as (

    select
        consents.customer_id,
        {{ spelling_of('consents.channel') }} as channel,
        consents.opted_in,
        consents.recorded_at,
        consents.recorded_on,
        row_number() over (
            partition by consents.customer_id, {{ spelling_of('consents.channel') }}
            order by
                consents.recorded_on desc,
                case when consents.recorded_at_is_day and not consents.opted_in then 0 else 1 end asc,
                consents.recorded_at desc,
                consents.opted_in asc
        ) as consent_rank
    from {{ ref('stg_consents') }} as consents

),

-- An objection is to the channel of the message it answers; where that is not on record, to all of them. objected_day is the last
-- day of those without a time of day.
objections as (

    select
        responses.customer_id,
        {{ spelling_of('touchpoints.channel') }} as channel,
        max(responses.responded_at) as objected_at,
        max(case when responses.responded_at_is_day then responses.responded_on end) as objected_day
    from {{ ref('stg_responses') }} as responses
    left join {{ ref('stg_touchpoints') }} as touchpoints
        on responses.touchpoint_id = touchpoints.touchpoint_id and responses.customer_id = touchpoints.customer_id
    where responses.kind = 'unsubscribe'
    group by responses.customer_id, {{ spelling_of('touchpoints.channel') }}

),

channel_records as (

    select
        persons.person_id,
        used_channels.channel,
        consents.opted_in,
        consents.recorded_at,
        consents.recorded_on,
        case
            when objections.objected_at is null or general_objections.objected_at > objections.objected_at
                then general_objections.objected_at
            else objections.objected_at
        end as objected_at,
        case
            when objections.objected_day is null or general_objections.objected_day > objections.objected_day
                then general_objections.objected_day
            else objections.objected_day
        end as objected_day
    from persons
    cross join used_channels
    left join ranked_consents as consents
        on
            persons.person_id = consents.customer_id
            and used_channels.channel = consents.channel
            and consents.consent_rank = 1
    left join objections
        on persons.person_id = objections.customer_id and used_channels.channel = objections.channel
    left join objections as general_objections
        on persons.person_id = general_objections.customer_id and general_objections.channel is null

),

permissions as (

    select
        person_id,
        channel,
        case
            when objected_at >= coalesce(recorded_at, objected_at) or objected_day >= recorded_on then 'unsubscribed'
            when opted_in then 'consent'
            when not opted_in then 'refused'
            {%- if assumed %}
            when channel in ('{{ assumed | map('lower') | join("', '") }}') then 'assumed'
            {%- endif %}
            else 'no record'
        end as permission
    from channel_records

),

ranked_addressees as (

    select
        addressees.member_id,
        addressees.person_id,
        permissions.channel,
        permissions.permission,
        row_number() over (
            partition by addressees.member_id, permissions.channel
            order by
                case when permissions.permission in ('consent', 'assumed') then 0 else 1 end asc,
                addressees.role_order asc,
                addressees.person_id asc
        ) as place
    from addressees
    inner join permissions on addressees.person_id = permissions.person_id

)

select
    members.member_id,
    used_channels.channel,
    coalesce(addressees.permission, 'no contact person') as permission,
    coalesce(addressees.permission in ('consent', 'assumed'), false) as is_permitted,
    addressees.person_id
from members
cross join used_channels
left join ranked_addressees as addressees
    on
        members.member_id = addressees.member_id
        and used_channels.channel = addressees.channel
        and addressees.place = 1
