{% macro scheme__gender() %}{{ return(ref('gender')) }}{% endmacro %}

select
    as_of,
    'gender' as scheme,
    customer_id as member_id,
    coalesce(gender, 'unknown') as segment,
    cast(null as {{ dbt.type_string() }}) as label,
    case when gender is null then 'unknown' else 'declared' end as evidence,
    {{ json_object_text([['gender', 'gender', 'text']]) }} as reason
from {{ ref('int_profiles') }}
where kind = 'person'
