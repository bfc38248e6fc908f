{% macro scheme__life_stage() %}{{ return(ref('life_stage')) }}{% endmacro %}

{# By profile alone, so that personas get their segment by the same rules (persona_segments). #}
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
    cast(null as {{ dbt.type_string() }}) as label,
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

{{ profile_scheme__life_stage(ref('int_profiles')) }}
