{% macro scheme__money_effort() %}{{ return(ref('money_effort')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_member_dates') }}

with profiles as (

    select
        profiles.as_of,
        profiles.customer_id,
        profiles.income_band,
        profiles.money_level
    from {{ ref('int_profiles') }} as profiles
    where profiles.kind = 'person'

)

select
    profiles.as_of,
    'money_effort' as scheme,
    profiles.customer_id as member_id,
    coalesce(rules.segment, 'unknown') as segment,
    cast(null as string) as label,
    {# Income is declared, its effort is read from baskets: a conclusion, not an observation. #}
    case when rules.segment is null then 'unknown' else 'inferred' end as evidence,
    {{ json_object_text([
        ['income_band', 'profiles.income_band', 'text'],
        ['money_level', 'profiles.money_level', 'text'],
        ['price_sensitivity', 'sensitivities.price_sensitivity', 'decimal'],
        ['discount_share', 'sensitivities.discount_share', 'decimal'],
        ['private_label_share', 'sensitivities.private_label_share', 'decimal'],
    ]) }} as reason
from profiles
left join {{ ref('int_price_sensitivity') }} as sensitivities
    on profiles.as_of = sensitivities.as_of and profiles.customer_id = sensitivities.customer_id
left join {{ ref('money_effort_rules') }} as rules
    on
        profiles.money_level = rules.money_level
        and sensitivities.is_price_sensitive = rules.is_price_sensitive
