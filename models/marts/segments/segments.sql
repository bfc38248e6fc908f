{{ config(tags=['reads_today']) }}

with memberships as (

    select memberships.*
    from {{ ref('int_memberships') }} as memberships
    inner join {{ ref('int_current_date') }} as dates on memberships.as_of = dates.as_of

),

contact_schemes as (

    select scheme
    from {{ ref('segment_schemes') }}
    where audience = 'company_contact'

),

member_spends as (

    select
        features.customer_id,
        features.monetary as spend
    from {{ ref('int_customer_features') }} as features
    inner join {{ ref('int_current_date') }} as dates on features.as_of = dates.as_of

),

found_segments as (

    select
        memberships.scheme,
        memberships.segment,
        min(memberships.label) as label,
        count(*) as members,
        {# Contact persons buy nothing for themselves. #}
        coalesce(sum(case when contact_schemes.scheme is null then member_spends.spend end), 0) as spend,
        sum(case when memberships.evidence = 'observed' then 1 else 0 end) as observed,
        sum(case when memberships.evidence = 'declared' then 1 else 0 end) as declared,
        sum(case when memberships.evidence = 'inferred' then 1 else 0 end) as inferred
    from memberships
    left join contact_schemes on memberships.scheme = contact_schemes.scheme
    left join member_spends on memberships.member_id = member_spends.customer_id
    group by memberships.scheme, memberships.segment

),

definitions as (

    select
        definitions.scheme,
        definitions.segment,
        definitions.label,
        definitions.definition,
        definitions.sort_order
    from {{ ref('segment_definitions') }} as definitions
    inner join {{ ref('segment_schemes') }} as schemes
        on definitions.scheme = schemes.scheme and schemes.is_active

),

possible_segments as (

    select scheme, segment from found_segments
    union
    {# A scheme of whose audience nobody is known has no segments: of companies, where there are none. #}
    select scheme, segment from definitions
    where segment <> '*' and scheme in (select memberships.scheme from memberships)
    union
    select scheme, 'unknown' as segment from {{ ref('segment_schemes') }}
    where is_active and scheme in (select memberships.scheme from memberships)

),

sized_segments as (

    select
        possible_segments.scheme,
        possible_segments.segment,
        coalesce(
            own_definitions.label,
            found_segments.label,
            case when possible_segments.segment = 'unknown' then 'Unknown' end,
            possible_segments.segment
        ) as label,
        coalesce(
            own_definitions.definition || coalesce(' ' || cut_points.cut_points, ''),
            case when possible_segments.segment = 'unknown' then 'Nothing is known that decides.' end,
            data_driven_definitions.definition
        ) as definition,
        coalesce(own_definitions.sort_order, 1000) as sort_order,
        case
            when found_segments.observed > 0
                and found_segments.observed >= found_segments.declared
                and found_segments.observed >= found_segments.inferred then 'observed'
            when found_segments.declared > 0 and found_segments.declared >= found_segments.inferred then 'declared'
            when found_segments.inferred > 0 then 'inferred'
            else 'unknown'
        end as evidence,
        coalesce(found_segments.members, 0) as members,
        coalesce(found_segments.spend, 0) as spend
    from possible_segments
    left join found_segments
        on possible_segments.scheme = found_segments.scheme and possible_segments.segment = found_segments.segment
    left join definitions as own_definitions
        on possible_segments.scheme = own_definitions.scheme and possible_segments.segment = own_definitions.segment
    left join {{ ref('int_rfm_cut_points') }} as cut_points
        on possible_segments.scheme = cut_points.scheme and possible_segments.segment = cut_points.segment
    left join definitions as data_driven_definitions
        on possible_segments.scheme = data_driven_definitions.scheme and data_driven_definitions.segment = '*'

),

positions as (

    select
        sized_segments.*,
        sum(members) over (partition by scheme) as scheme_members,
        sum(spend) over (partition by scheme) as scheme_spend,
        coalesce(sum(spend) over (
            partition by scheme order by spend desc, segment asc
            rows between unbounded preceding and 1 preceding
        ), 0) as spend_before
    from sized_segments

),

placed_segments as (

    select
        positions.*,
        case
            when scheme_spend > 0 and spend > 0 and spend_before < {{ var('mass_spend_share') }} * scheme_spend then 'mass'
            when scheme_spend > 0 and spend > 0 and spend_before < {{ var('edge_spend_share') }} * scheme_spend then 'edge'
            else 'niche'
        end as market_position
    from positions

),

category_vectors as (

    select
        memberships.scheme,
        memberships.segment,
        categories.category,
        cast(sum(categories.spend) as double) as spend
    from memberships
    inner join {{ ref('int_customer_categories') }} as categories
        on memberships.as_of = categories.as_of and memberships.member_id = categories.customer_id
    left join contact_schemes on memberships.scheme = contact_schemes.scheme
    where categories.category is not null and contact_schemes.scheme is null
    group by memberships.scheme, memberships.segment, categories.category

),

lengths as (

    select
        scheme,
        segment,
        sqrt(sum(cast(round(spend * spend, 8) as decimal(38, 8)))) as length
    from category_vectors
    group by scheme, segment

),

mass_overlaps as (

    select
        own.scheme,
        own.segment,
        other.segment as other_segment,
        cast(sum(cast(round(own.spend * other.spend, 8) as decimal(38, 8))) as double)
        / (max(own_lengths.length) * max(other_lengths.length)) as cosine
    from category_vectors as own
    inner join category_vectors as other
        on own.scheme = other.scheme and own.category = other.category and own.segment <> other.segment
    inner join lengths as own_lengths
        on own.scheme = own_lengths.scheme and own.segment = own_lengths.segment and own_lengths.length > 0
    inner join lengths as other_lengths
        on other.scheme = other_lengths.scheme and other.segment = other_lengths.segment and other_lengths.length > 0
    inner join placed_segments as mass_segments
        on
            other.scheme = mass_segments.scheme
            and other.segment = mass_segments.segment
            and mass_segments.market_position = 'mass'
            {# Nobody can be sold "across" to a segment that says nothing. #}
            and mass_segments.segment <> 'unknown'
    inner join placed_segments as own_segments
        on
            own.scheme = own_segments.scheme
            and own.segment = own_segments.segment
            and own_segments.market_position <> 'mass'
    group by own.scheme, own.segment, other.segment

),

nearest_segments as (

    select
        scheme,
        segment,
        other_segment,
        row_number() over (partition by scheme, segment order by cosine desc, other_segment asc) as place
    from mass_overlaps
    {# Net returns point away: such a segment is near to none that it shares nothing else with. #}
    where cosine > 0

)

select
    placed_segments.scheme,
    placed_segments.segment,
    placed_segments.label,
    placed_segments.definition,
    placed_segments.sort_order,
    placed_segments.evidence,
    cast(placed_segments.members as bigint) as members,
    case
        when placed_segments.scheme_members > 0
            then cast(placed_segments.members as double) / placed_segments.scheme_members
        else 0e0
    end as member_share,
    cast(placed_segments.spend as decimal(18, 4)) as spend,
    case
        when placed_segments.scheme_spend > 0
            then cast(placed_segments.spend as double) / cast(placed_segments.scheme_spend as double)
        else 0e0
    end as spend_share,
    placed_segments.market_position,
    case when placed_segments.market_position <> 'mass' then nearest_segments.other_segment end as nearest_mass_segment
from placed_segments
left join nearest_segments
    on
        placed_segments.scheme = nearest_segments.scheme
        and placed_segments.segment = nearest_segments.segment
        and nearest_segments.place = 1
