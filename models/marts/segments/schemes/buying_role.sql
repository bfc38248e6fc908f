{% macro scheme__buying_role() %}{{ return(ref('buying_role')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_member_dates') }}

{# Contact persons have no date: each is one on every as-of date. Those of prospects are in no audience. #}
select
    dates.as_of,
    'buying_role' as scheme,
    contacts.person_id as member_id,
    case when titles.role is null or titles.role = 'none' then 'unknown' else titles.role end as segment,
    cast(null as string) as label,
    case
        when titles.role is null or titles.role = 'none' then 'unknown'
        when titles.is_corrected then 'inferred'
        else 'declared'
    end as evidence,
    {{ json_object_text([
        ['job_title', 'contacts.job_title', 'text'],
        ['pattern', 'titles.pattern', 'text'],
        ['role', 'titles.role', 'text'],
    ]) }} as reason
from {{ ref('stg_company_contacts') }} as contacts
cross join {{ ref('int_member_dates') }} as dates
left join {{ ref('int_job_titles') }} as titles on {{ spelling_of('contacts.job_title') }} = titles.spelling
left join {{ ref('int_prospect_contacts') }} as of_prospects on contacts.person_id = of_prospects.person_id
where of_prospects.person_id is null
