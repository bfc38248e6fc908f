{% macro scheme__age_band() %}{{ return(ref('age_band')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_member_dates') }}

{# Over any profiles: customers' here, personas' in persona_segments. #}
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

{{ profile_scheme__age_band(ref('int_profiles')) }}
