{% macro scheme__industry() %}{{ return(ref('industry')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_member_dates') }}
-- depends_on: {{ ref('int_member_dates') }}

with industries as (

    select
        members.as_of,
        members.customer_id,
        {{ known_label('companies.industry') }} as industry
    from {{ ref('int_members') }} as members
    inner join {{ ref('stg_companies') }} as companies on members.customer_id = companies.company_id

)

select
    as_of,
    'industry' as scheme,
    customer_id as member_id,
    coalesce({{ segment_id('industry') }}, 'unknown') as segment,
    industry as label,
    case when industry is null then 'unknown' else 'declared' end as evidence,
    {{ json_object_text([['industry', 'industry', 'text']]) }} as reason
from industries
