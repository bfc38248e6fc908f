{% macro scheme__gender() %}{{ return(ref('gender')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_member_dates') }}

{# Over any profiles: customers' here, personas' in persona_segments. #}
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

{{ profile_scheme__gender(ref('int_profiles')) }}
