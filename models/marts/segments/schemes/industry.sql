{% macro scheme__industry() %}{{ return(ref('industry')) }}{% endmacro %}
{{ config(**kept('int_member_dates', 'as_of')) }}

with dates as (

    {{ partitions_to_make('int_member_dates', 'as_of') | indent(4) }}

),

industries as (

    select
        members.as_of,
        members.customer_id,
        dates.made_from,
        {{ known_label('companies.industry') }} as industry
    from {{ ref('int_members') }} as members
    inner join dates on members.as_of = dates.as_of
    inner join {{ ref('stg_companies') }} as companies on members.customer_id = companies.company_id

)

select
    as_of,
    'industry' as scheme,
    customer_id as member_id,
    coalesce({{ segment_id('industry') }}, 'unknown') as segment,
    industry as label,
    case when industry is null then 'unknown' else 'declared' end as evidence,
    {{ json_object_text([['industry', 'industry', 'text']]) }} as reason,
    made_from
from industries
