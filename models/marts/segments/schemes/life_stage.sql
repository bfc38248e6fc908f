{% macro scheme__life_stage() %}{{ return(ref('life_stage')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_member_dates') }}

{# Over any profiles: customers' here, personas' in persona_segments. #}
{% macro profile_scheme__life_stage(profiles) %}
with profiles as (

    select * from {{ profiles }}
    where kind = 'person'

),

rules as (

    {{ first_rule_that_fits(ref('life_stage_rules'), ['employment', 'adults', 'has_children'], [
        'rules.min_age is null or profiles.age_from >= rules.min_age',
        'rules.max_age is null or profiles.age_to <= rules.max_age',
    ]) | indent(4) }}

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
left join rules on profiles.as_of = rules.as_of and profiles.customer_id = rules.customer_id
{% endmacro %}

{{ profile_scheme__life_stage(ref('int_profiles')) }}
