{% macro scheme__location() %}{{ return(ref('location')) }}{% endmacro %}

select
    as_of,
    'location' as scheme,
    customer_id as member_id,
    coalesce(settlement, {{ segment_id('region') }}, 'unknown') as segment,
    case when settlement is null then region end as label,
    case when settlement is null and region is null then 'unknown' else 'declared' end as evidence,
    {{ json_object_text([['settlement', 'settlement', 'text'], ['region', 'region', 'text']]) }} as reason
from {{ ref('int_profiles') }}
