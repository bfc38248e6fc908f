{# The schemes that need a profile alone, over any relation in the shape of int_profiles: customers (the scheme's model) and
   personas (persona_segments) are divided by the same rules. They stand here, and not in the schemes' files, because dbt's
   cache of parsed files does not notice changes of a macro there. #}

{% macro profile_scheme__age_band(profiles) %}
select
    as_of,
    'age_band' as scheme,
    customer_id as member_id,
    coalesce({{ segment_id('age_band') }}, 'unknown') as segment,
    cast(null as string) as label,
    case when age_band is null then 'unknown' else 'declared' end as evidence,
    {{ json_object_text([['age_band', 'age_band', 'text'], ['age', 'age', 'number']]) }} as reason
from {{ profiles }}
where kind = 'person'
{% endmacro %}

{% macro profile_scheme__gender(profiles) %}
select
    as_of,
    'gender' as scheme,
    customer_id as member_id,
    coalesce(gender, 'unknown') as segment,
    cast(null as string) as label,
    case when gender is null then 'unknown' else 'declared' end as evidence,
    {{ json_object_text([['gender', 'gender', 'text']]) }} as reason
from {{ profiles }}
where kind = 'person'
{% endmacro %}

{% macro profile_scheme__life_stage(profiles) %}
with profiles as (

    select * from {{ profiles }}
    where kind = 'person'

),

fitting_rules as (

    select
        profiles.as_of,
        profiles.customer_id,
        min(rules.priority) as priority
    from profiles
    inner join {{ ref('life_stage_rules') }} as rules
        on
            (rules.min_age is null or profiles.age_from >= rules.min_age)
            and (rules.max_age is null or profiles.age_to <= rules.max_age)
            and (rules.employment is null or profiles.employment = rules.employment)
            and (rules.adults is null or profiles.adults = rules.adults)
            and (rules.has_children is null or profiles.has_children = rules.has_children)
    group by profiles.as_of, profiles.customer_id

)

select
    profiles.as_of,
    'life_stage' as scheme,
    profiles.customer_id as member_id,
    coalesce(rules.segment, 'unknown') as segment,
    cast(null as string) as label,
    coalesce(rules.evidence, 'unknown') as evidence,
    {{ json_object_text([
        ['rule', 'rules.priority', 'number'],
        ['age_band', 'profiles.age_band', 'text'],
        ['employment', 'profiles.employment', 'text'],
        ['adults', 'profiles.adults', 'number'],
        ['has_children', 'profiles.has_children', 'number'],
    ]) }} as reason
from profiles
left join fitting_rules
    on profiles.as_of = fitting_rules.as_of and profiles.customer_id = fitting_rules.customer_id
left join {{ ref('life_stage_rules') }} as rules on fitting_rules.priority = rules.priority
{% endmacro %}

{% macro profile_scheme__location(profiles) %}
with declared_places as (

    select
        as_of,
        customer_id,
        settlement,
        {{ known_label('region') }} as region,
        {{ known_label('country') }} as country
    from {{ profiles }}

),

places as (

    select
        as_of,
        customer_id,
        settlement,
        region,
        country,
        case when settlement is null then coalesce(region, country) end as place
    from declared_places

)

select
    as_of,
    'location' as scheme,
    customer_id as member_id,
    coalesce(settlement, {{ segment_id('place') }}, 'unknown') as segment,
    place as label,
    case when settlement is null and place is null then 'unknown' else 'declared' end as evidence,
    {{ json_object_text([
        ['settlement', 'settlement', 'text'],
        ['region', 'region', 'text'],
        ['country', 'country', 'text'],
    ]) }} as reason
from places
{% endmacro %}

{% macro profile_scheme__socioeconomic(profiles) %}
with profiles as (

    select * from {{ profiles }}
    where kind = 'person'

),

fitting_rules as (

    select
        profiles.as_of,
        profiles.customer_id,
        min(rules.priority) as priority
    from profiles
    inner join {{ ref('socioeconomic_rules') }} as rules
        on
            (rules.employment is null or profiles.employment = rules.employment)
            and (rules.money_level is null or profiles.money_level = rules.money_level)
            and (rules.home_ownership is null or profiles.home_ownership = rules.home_ownership)
    group by profiles.as_of, profiles.customer_id

)

select
    profiles.as_of,
    'socioeconomic' as scheme,
    profiles.customer_id as member_id,
    coalesce(rules.segment, 'unknown') as segment,
    cast(null as string) as label,
    coalesce(rules.evidence, 'unknown') as evidence,
    {{ json_object_text([
        ['rule', 'rules.priority', 'number'],
        ['employment', 'profiles.employment', 'text'],
        ['income_band', 'profiles.income_band', 'text'],
        ['home_ownership', 'profiles.home_ownership', 'text'],
    ]) }} as reason
from profiles
left join fitting_rules
    on profiles.as_of = fitting_rules.as_of and profiles.customer_id = fitting_rules.customer_id
left join {{ ref('socioeconomic_rules') }} as rules on fitting_rules.priority = rules.priority
{% endmacro %}
