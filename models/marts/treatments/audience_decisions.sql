-- For every treatment that a member has today: sent, or why not. The first reason that applies, in the order below.
with as_of_day as (

    select
        as_of,
        {{ days_after('as_of', -(var('contact_cap_days') | int)) }} as cap_from,
        {{ days_after('as_of', -(var('repeat_after_days') | int)) }} as repeat_from
    from {{ ref('int_current_date') }}

),

-- Over all channels: a person has one letter box, one inbox and one patience.
member_touches as (

    select
        touchpoints.customer_id,
        count(*) as touches
    from {{ ref('stg_touchpoints') }} as touchpoints
    inner join as_of_day on touchpoints.touched_on >= as_of_day.cap_from and touchpoints.touched_on < as_of_day.as_of
    group by touchpoints.customer_id

),

recent_treatments as (

    select distinct
        touchpoints.customer_id,
        touchpoints.treatment_id
    from {{ ref('stg_touchpoints') }} as touchpoints
    inner join as_of_day on touchpoints.touched_on >= as_of_day.repeat_from and touchpoints.touched_on < as_of_day.as_of
    where touchpoints.treatment_id is not null

),

-- Schemes without a row in the seed come after all others, by name.
ordered_schemes as (

    select
        schemes.scheme,
        priorities.reason,
        row_number() over (order by priorities.priority asc nulls last, schemes.scheme asc) as priority
    from {{ ref('segment_schemes') }} as schemes
    left join {{ ref('scheme_priorities') }} as priorities on schemes.scheme = priorities.scheme

),

programme_members as (

    select distinct member_id
    from {{ ref('treatment_assignments') }}
    where arm = 'programme'

),

-- By our own draw or in an experiment run elsewhere; and of their own treatment whoever is sent the one for all instead. What a
-- company is held out of elsewhere is not sent to its contact persons either where it is a treatment of theirs.
held_out as (

    select
        member_id,
        treatment_id
    from {{ ref('treatment_assignments') }}
    where arm = 'holdout' or (arm = 'uniform' and sends_treatment_id <> treatment_id)
    union
    select
        customer_id as member_id,
        treatment_id
    from {{ ref('int_landed_arms') }}
    where arm = 'holdout'
    union
    select
        person_id as member_id,
        treatment_id
    from (
        {{ held_contacts() | indent(8) }}
    ) as held_contacts

),

-- The treatment that the member's arm is sent: their segment's, or the one for all. Held out of the one for all, because it
-- was once their own or elsewhere, they stay held out.
arm_treatments as (

    select
        assignments.scheme,
        assignments.member_id,
        assignments.segment,
        case when assignments.arm = 'uniform' then assignments.sends_treatment_id else assignments.treatment_id end
            as treatment_id,
        case
            when programme_members.member_id is not null then 'programme'
            when held_out.member_id is not null then 'holdout'
            else assignments.arm
        end as arm
    from {{ ref('treatment_assignments') }} as assignments
    left join programme_members on assignments.member_id = programme_members.member_id
    left join held_out
        on assignments.member_id = held_out.member_id and assignments.sends_treatment_id = held_out.treatment_id
    where assignments.is_current

),

judged_assignments as (

    select
        assignments.scheme,
        assignments.member_id,
        -- A company is addressed through a contact person; where it has none, nobody is.
        coalesce(permissions.person_id, assignments.member_id) as person_id,
        assignments.treatment_id,
        assignments.segment,
        {{ spelling_of('treatments.channel') }} as channel,
        ordered_schemes.priority,
        ordered_schemes.reason as priority_reason,
        permissions.permission,
        coalesce(member_touches.touches, 0) as touches,
        case
            when treatments.treatment_id is null then 'not valid'
            when coalesce({{ trimmed('treatments.channel') }}, '') = '' then 'no channel'
            when assignments.arm = 'programme' or programme_persons.member_id is not null then 'programme'
            when
                coalesce(treatments.valid_from, as_of_day.as_of) > as_of_day.as_of
                or coalesce(treatments.valid_to, as_of_day.as_of) < as_of_day.as_of
                then 'not valid'
            when assignments.arm = 'holdout' or held_persons.member_id is not null then 'holdout'
            when permissions.permission = 'no contact person' then 'no contact person'
            when permissions.permission = 'unsubscribed' then 'unsubscribed'
            when permissions.permission = 'refused' then 'refused'
            when not coalesce(permissions.is_permitted, false) then 'no consent'
            when coalesce(member_touches.touches, 0) >= {{ var('contact_cap') | int }} then 'frequency cap'
            when recent.treatment_id is not null then 'sent recently'
        end as obstacle
    from arm_treatments as assignments
    cross join as_of_day
    -- The one treatment for all may be gone from treatments.csv.
    left join {{ ref('segment_treatments') }} as treatments on assignments.treatment_id = treatments.treatment_id
    inner join ordered_schemes on assignments.scheme = ordered_schemes.scheme
    left join {{ ref('contact_permissions') }} as permissions
        on
            assignments.member_id = permissions.member_id
            and {{ spelling_of('treatments.channel') }} = permissions.channel
    -- Who gets nothing, or not this, gets it for a company neither.
    left join programme_members as programme_persons on permissions.person_id = programme_persons.member_id
    left join held_out as held_persons
        on permissions.person_id = held_persons.member_id and assignments.treatment_id = held_persons.treatment_id
    left join member_touches
        on coalesce(permissions.person_id, assignments.member_id) = member_touches.customer_id
    left join recent_treatments as recent
        on
            coalesce(permissions.person_id, assignments.member_id) = recent.customer_id
            and assignments.treatment_id = recent.treatment_id

),

-- One treatment a person a send, also where they stand for a company: the first scheme in the order of priority that nothing
-- stands against.
ranked_assignments as (

    select
        scheme,
        member_id,
        person_id,
        treatment_id,
        segment,
        channel,
        priority,
        priority_reason,
        permission,
        touches,
        obstacle,
        row_number() over (
            partition by person_id, case when obstacle is null then 1 else 0 end order by priority asc, member_id asc
        ) as send_rank
    from judged_assignments

),

sent_schemes as (

    select
        person_id,
        scheme,
        priority_reason
    from ranked_assignments
    where obstacle is null and send_rank = 1

)

select
    cast(ranked.scheme as string) as scheme,
    cast(ranked.member_id as string) as member_id,
    cast(case when ranked.obstacle = 'no contact person' then null else ranked.person_id end as string) as person_id,
    cast(ranked.treatment_id as string) as treatment_id,
    cast(ranked.segment as string) as segment,
    cast(ranked.channel as string) as channel,
    cast(ranked.priority as integer) as priority,
    cast(case
        when ranked.obstacle is not null then ranked.obstacle
        when ranked.send_rank = 1 then 'sent'
        else 'lower priority'
    end as string) as outcome,
    cast(case
        when ranked.obstacle = 'no channel' then 'the treatment names no channel'
        when ranked.obstacle = 'not valid' then 'the one treatment for all is not valid today'
        when ranked.obstacle = 'programme' then 'drawn to get nothing of any scheme'
        when ranked.obstacle = 'holdout' then 'drawn into the holdout'
        when ranked.obstacle = 'no contact person' then 'no contact person of the company is known'
        when ranked.obstacle = 'unsubscribed' then 'unsubscribed, and no later consent for ' || ranked.channel
        when ranked.obstacle = 'refused' then 'the latest record refuses ' || ranked.channel
        when ranked.obstacle = 'no consent' then 'no consent on record for ' || ranked.channel
        when ranked.obstacle = 'frequency cap' then ranked.touches || ' touches in {{ var('contact_cap_days') | int }} days'
        when ranked.obstacle = 'sent recently' then 'sent within the last {{ var('repeat_after_days') | int }} days'
        else sent.scheme || ' goes first: ' || coalesce(sent.priority_reason, 'by name, without a row in scheme_priorities')
    end as string) as reason
from ranked_assignments as ranked
left join sent_schemes as sent on ranked.person_id = sent.person_id
