{% macro scheme__location() %}{{ return(ref('location')) }}{% endmacro %}

{# By profile alone, so that personas get their segment by the same rules (persona_segments). #}
{% macro profile_scheme__location(profiles) %}
with places as (

    select
        as_of,
        customer_id,
        settlement,
        {{ known_label('region') }} as region
    from {{ profiles }}

)

select
    as_of,
    'location' as scheme,
    customer_id as member_id,
    coalesce(settlement, {{ segment_id('region') }}, 'unknown') as segment,
    case when settlement is null then region end as label,
    case when settlement is null and region is null then 'unknown' else 'declared' end as evidence,
    {{ json_object_text([['settlement', 'settlement', 'text'], ['region', 'region', 'text']]) }} as reason
from places
{% endmacro %}

{{ profile_scheme__location(ref('int_profiles')) }}
