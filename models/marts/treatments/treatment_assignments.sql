-- Who gets which treatment: one treatment a member a scheme, in an arm that is drawn once and never again.
with as_of_day as (

    select as_of
    from {{ ref('int_current_date') }}

),

members as (

    select distinct member_id
    from {{ ref('customer_segments') }}

),

-- An assignment of an earlier refresh stays, also when the member has moved on; members who are no longer known are left out.
kept_assignments as (

    select
        earlier.scheme,
        earlier.member_id,
        earlier.treatment_id,
        earlier.segment,
        earlier.arm,
        earlier.assigned_on,
        earlier.share_treated,
        earlier.origin,
        earlier.is_eligible,
        earlier.segments,
        earlier.sends_treatment_id,
        earlier.share_uniform,
        earlier.share_programme
    from {{ ref('earlier_assignments') }} as earlier
    inner join members on earlier.member_id = members.member_id

),

-- Of a company that gets nothing, none of its contact persons gets anything either, and the other way round: they are drawn
-- by their company's id. Whoever buys themselves is drawn as a customer.
drawn_units as (

    select
        members.member_id,
        coalesce(companies.member_id, members.member_id) as unit_id
    from members
    left join {{ ref('int_customers') }} as customers on members.member_id = customers.customer_id
    left join {{ ref('stg_company_contacts') }} as contacts
        on case when customers.customer_id is null then members.member_id end = contacts.person_id
    left join members as companies on contacts.company_id = companies.member_id

),

kept_programmes as (

    select
        member_id,
        max(case when arm = 'programme' then 1 else 0 end) as is_programme,
        max(coalesce(share_programme, 0e0)) as share_programme
    from kept_assignments
    group by member_id

),

-- Who gets nothing of any scheme is drawn with the first assignment: who has one already stays what they are, and a new contact
-- person is what their company is.
drawn_members as (

    select
        units.member_id,
        units.unit_id,
        coalesce(own.is_programme, of_unit.is_programme) as is_kept_programme,
        coalesce(own.share_programme, of_unit.share_programme) as kept_share_programme
    from drawn_units as units
    left join kept_programmes as own on units.member_id = own.member_id
    left join kept_programmes as of_unit on units.unit_id = of_unit.member_id

),

programme_members as (

    select
        member_id,
        case
            when is_kept_programme is not null then kept_share_programme else {{ var('programme_holdout_share') }} end
            as share_programme,
        case
            when is_kept_programme is not null then is_kept_programme = 1
            else
                {{ uniform_draw(["'" ~ var('assignment_salt') ~ "'", "'programme'", 'unit_id']) }}
                < {{ var('programme_holdout_share') }}
        end as is_programme
    from drawn_members

),

current_definitions as (

    select
        treatments.treatment_id,
        treatments.template_id,
        treatments.scheme,
        treatments.segment,
        {{ spelling_of('treatments.channel') }} as channel
    from {{ ref('segment_treatments') }} as treatments
    cross join as_of_day
    where
        not treatments.is_idle
        and coalesce(treatments.valid_from, as_of_day.as_of) <= as_of_day.as_of
        and coalesce(treatments.valid_to, as_of_day.as_of) >= as_of_day.as_of

),

-- The one treatment for all of a scheme, while it is valid.
uniform_treatments as (

    select distinct
        uniform.scheme,
        uniform.treatment_id,
        uniform.share_uniform
    from {{ ref('uniform_treatments') }} as uniform
    inner join current_definitions as definitions
        on uniform.scheme = definitions.scheme and uniform.treatment_id = definitions.treatment_id

),

valid_treatments as (

    select
        treatments.treatment_id,
        treatments.scheme,
        treatments.segment,
        treatments.channel,
        coalesce(own_shares.share_treated, template_shares.share_treated, {{ var('share_treated') }}) as share_treated,
        uniform_treatments.treatment_id as uniform_treatment_id,
        uniform_treatments.share_uniform
    from current_definitions as treatments
    left join {{ ref('treatment_shares') }} as own_shares on treatments.treatment_id = own_shares.treatment_id
    left join {{ ref('treatment_shares') }} as template_shares on treatments.template_id = template_shares.treatment_id
    left join uniform_treatments on treatments.scheme = uniform_treatments.scheme

),

-- Of several treatments of a segment: the one the member has, else one that may reach the member, else by hash.
ranked_treatments as (

    select
        segments.scheme,
        segments.member_id,
        segments.segment,
        treatments.treatment_id,
        treatments.share_treated,
        treatments.uniform_treatment_id,
        treatments.share_uniform,
        coalesce(permissions.is_permitted, false) as is_permitted,
        kept.treatment_id is not null as is_kept,
        row_number() over (
            partition by segments.scheme, segments.member_id
            order by
                kept.assigned_on desc nulls last,
                case when permissions.is_permitted then 0 else 1 end asc,
                {{ uniform_draw(["'" ~ var('assignment_salt') ~ "'", "'which'", 'treatments.treatment_id', 'segments.member_id']) }} asc,
                treatments.treatment_id asc
        ) as treatment_rank
    from {{ ref('customer_segments') }} as segments
    inner join valid_treatments as treatments
        on segments.scheme = treatments.scheme and segments.segment = treatments.segment
    left join {{ ref('contact_permissions') }} as permissions
        on segments.member_id = permissions.member_id and treatments.channel = permissions.channel
    left join kept_assignments as kept
        on
            segments.scheme = kept.scheme
            and segments.member_id = kept.member_id
            and treatments.treatment_id = kept.treatment_id

),

current_treatments as (

    select
        scheme,
        member_id,
        segment,
        treatment_id,
        share_treated,
        uniform_treatment_id,
        share_uniform,
        is_permitted,
        is_kept
    from ranked_treatments
    where treatment_rank = 1

),

-- An arm that was drawn elsewhere for the very same treatment is not drawn a second time: the first of all experiments. Arms of the
-- as-of date are adopted too, as ours are of that day.
ranked_landed as (

    select
        landed.customer_id,
        landed.treatment_id,
        landed.arm,
        landed.assigned_on,
        landed.share_treated,
        row_number() over (
            partition by landed.customer_id, landed.treatment_id
            order by
                landed.assigned_on asc,
                case when landed.arm = 'holdout' then 0 else 1 end asc,
                landed.share_treated asc nulls last,
                landed.experiment_id asc
        ) as assignment_rank
    from {{ ref('int_landed_arms') }} as landed
    inner join as_of_day on landed.assigned_on <= as_of_day.as_of

),

-- They are never sent it, and show nothing of it: contact persons of companies that are held out, and who is held out elsewhere of
-- a later day.
held_members as (

    {{ held_contacts() | indent(4) }}
    union
    select
        landed.customer_id as person_id,
        landed.treatment_id
    from {{ ref('int_landed_arms') }} as landed
    inner join as_of_day on landed.assigned_on > as_of_day.as_of
    where landed.arm = 'holdout'

),

-- Who was sent the treatment before the arm was drawn cannot show what it does.
touched_members as (

    select distinct
        touchpoints.member_id as customer_id,
        touchpoints.treatment_id
    from {{ ref('int_member_touchpoints') }} as touchpoints
    inner join as_of_day on touchpoints.touched_on < as_of_day.as_of
    where touchpoints.treatment_id is not null

),

member_segments as (

    select
        segments.member_id,
        ';' || {{ sorted_list("segments.scheme || '=' || segments.segment", ';') }} || ';' as segments
    from {{ ref('customer_segments') }} as segments
    group by segments.member_id

),

-- The uniform arm lies above the treated one: nobody changes between treated and held out for its sake.
drawn_assignments as (

    select
        current_treatments.scheme,
        current_treatments.member_id,
        current_treatments.treatment_id,
        current_treatments.segment,
        current_treatments.share_treated,
        current_treatments.uniform_treatment_id,
        least(coalesce(current_treatments.share_uniform, 0e0), 1 - current_treatments.share_treated) as share_uniform,
        current_treatments.is_permitted,
        {{ uniform_draw(["'" ~ var('assignment_salt') ~ "'", 'current_treatments.treatment_id', 'current_treatments.member_id']) }}
            as draw
    from current_treatments
    where not current_treatments.is_kept

),

new_assignments as (

    select
        drawn.scheme,
        drawn.member_id,
        drawn.treatment_id,
        drawn.segment,
        case
            when landed.arm is not null then landed.arm
            when programme.is_programme then 'programme'
            when drawn.draw < drawn.share_treated then 'treated'
            when drawn.draw < drawn.share_treated + drawn.share_uniform then 'uniform'
            else 'holdout'
        end as arm,
        coalesce(landed.assigned_on, as_of_day.as_of) as assigned_on,
        coalesce(landed.share_treated, drawn.share_treated) as share_treated,
        case when landed.arm is not null then 'landed' else 'drawn' end as origin,
        drawn.is_permitted and touched.customer_id is null and held_members.person_id is null as is_eligible,
        member_segments.segments,
        drawn.uniform_treatment_id,
        case when landed.arm is not null then 0e0 else drawn.share_uniform end as share_uniform,
        case when landed.arm is not null then 0e0 else programme.share_programme end as share_programme
    from drawn_assignments as drawn
    cross join as_of_day
    inner join member_segments on drawn.member_id = member_segments.member_id
    inner join programme_members as programme on drawn.member_id = programme.member_id
    left join ranked_landed as landed
        on
            drawn.member_id = landed.customer_id
            and drawn.treatment_id = landed.treatment_id
            and landed.assignment_rank = 1
    left join touched_members as touched
        on drawn.member_id = touched.customer_id and drawn.treatment_id = touched.treatment_id
    left join held_members
        on drawn.member_id = held_members.person_id and drawn.treatment_id = held_members.treatment_id

),

all_assignments as (

    select
        scheme,
        member_id,
        treatment_id,
        segment,
        arm,
        assigned_on,
        share_treated,
        origin,
        is_eligible,
        segments,
        sends_treatment_id,
        share_uniform,
        share_programme
    from kept_assignments
    union all
    select
        scheme,
        member_id,
        treatment_id,
        segment,
        arm,
        assigned_on,
        share_treated,
        origin,
        is_eligible,
        segments,
        case when arm = 'treated' then treatment_id when arm = 'uniform' then uniform_treatment_id end
            as sends_treatment_id,
        share_uniform,
        share_programme
    from new_assignments

)

select
    cast(assignments.scheme as string) as scheme,
    cast(assignments.member_id as string) as member_id,
    cast(assignments.treatment_id as string) as treatment_id,
    cast(assignments.segment as string) as segment,
    cast(assignments.arm as string) as arm,
    assignments.assigned_on,
    cast(assignments.share_treated as double) as share_treated,
    cast(assignments.origin as string) as origin,
    assignments.is_eligible,
    current_treatments.treatment_id is not null as is_current,
    cast(assignments.segments as string) as segments,
    cast(assignments.sends_treatment_id as string) as sends_treatment_id,
    cast(assignments.share_uniform as double) as share_uniform,
    cast(assignments.share_programme as double) as share_programme
from all_assignments as assignments
left join current_treatments
    on
        assignments.scheme = current_treatments.scheme
        and assignments.member_id = current_treatments.member_id
        and assignments.treatment_id = current_treatments.treatment_id
