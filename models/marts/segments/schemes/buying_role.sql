{% macro scheme__buying_role() %}{{ return(ref('buying_role')) }}{% endmacro %}
{{ config(**kept('int_member_dates', 'as_of')) }}

{# Contact persons have no date: each is one on every as-of date. #}
with dates as (

    {{ partitions_to_make('int_member_dates', 'as_of') | indent(4) }}

)

select
    dates.as_of,
    'buying_role' as scheme,
    contacts.person_id as member_id,
    case when titles.role is null or titles.role = 'none' then 'unknown' else titles.role end as segment,
    cast(null as {{ dbt.type_string() }}) as label,
    case
        when titles.role is null or titles.role = 'none' then 'unknown'
        when titles.is_corrected then 'inferred'
        else 'declared'
    end as evidence,
    {{ json_object_text([
        ['job_title', 'contacts.job_title', 'text'],
        ['pattern', 'titles.pattern', 'text'],
        ['role', 'titles.role', 'text'],
    ]) }} as reason,
    dates.made_from
from {{ ref('stg_company_contacts') }} as contacts
cross join dates
left join {{ ref('int_job_titles') }} as titles on lower(trim(contacts.job_title)) = titles.spelling
