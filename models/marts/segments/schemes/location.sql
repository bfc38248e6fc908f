{% macro scheme__location() %}{{ return(ref('location')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_member_dates') }}

{# Over any profiles: customers' here, personas' in persona_segments. #}
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

{{ profile_scheme__location(ref('int_profiles')) }}
