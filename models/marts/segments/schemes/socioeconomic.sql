{% macro scheme__socioeconomic() %}{{ return(ref('socioeconomic')) }}{% endmacro %}

{# By profile alone, so that personas get their segment by the same rules (persona_segments). #}
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
    cast(null as {{ dbt.type_string() }}) as label,
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

{{ profile_scheme__socioeconomic(ref('int_profiles')) }}
