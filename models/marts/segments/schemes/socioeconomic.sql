{% macro scheme__socioeconomic() %}{{ return(ref('socioeconomic')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_member_dates') }}

{# Over any profiles: customers' here, personas' in persona_segments. #}
{% macro profile_scheme__socioeconomic(profiles) %}
with profiles as (

    select * from {{ profiles }}
    where kind = 'person'

),

rules as (

    {{ first_rule_that_fits(ref('socioeconomic_rules'), ['employment', 'money_level', 'home_ownership']) | indent(4) }}

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
left join rules on profiles.as_of = rules.as_of and profiles.customer_id = rules.customer_id
{% endmacro %}

{{ profile_scheme__socioeconomic(ref('int_profiles')) }}
