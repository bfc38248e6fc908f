{% macro scheme__benefit_sought() %}{{ return(ref('benefit_sought')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_member_dates') }}
-- depends_on: {{ ref('int_member_dates') }}

{# As declared (seed spellings), else from the job that the company buys for (seed job_benefits). #}
with members as (

    select
        members.as_of,
        members.customer_id
    from {{ ref('int_members') }} as members
    where members.kind = 'company'

),

benefits as (

    select
        members.as_of,
        members.customer_id,
        companies.benefit_sought as said,
        meanings.meaning as declared,
        case when jobs.segment <> 'unknown' then jobs.segment end as job,
        job_benefits.benefit as inferred
    from members
    left join {{ ref('stg_companies') }} as companies on members.customer_id = companies.company_id
    left join {{ meaning_of('benefit_sought') }} as meanings
        on {{ spelling_of('companies.benefit_sought') }} = meanings.spelling
    left join {{ ref('job_to_be_done') }} as jobs
        on members.as_of = jobs.as_of and members.customer_id = jobs.member_id
    left join {{ ref('job_benefits') }} as job_benefits on jobs.segment = job_benefits.job

)

select
    as_of,
    'benefit_sought' as scheme,
    customer_id as member_id,
    coalesce(declared, inferred, 'unknown') as segment,
    cast(null as string) as label,
    case
        when declared is not null then 'declared'
        when inferred is not null then 'inferred'
        else 'unknown'
    end as evidence,
    {{ json_object_text([['benefit_sought', 'said', 'text'], ['job', 'job', 'text']]) }} as reason
from benefits
