with

accepted_rows as (
    {{ accepted_rows('company_contacts') | indent(4) }}
)

select
    {{ canonical_customer('accepted_rows', 'person_id', 'person_ids') }} as person_id,
    {{ canonical_customer('accepted_rows', 'company_id') }} as company_id,
    accepted_rows.job_title,
    accepted_rows.department,
    accepted_rows.updated_at
from accepted_rows
{{ with_customer_ids('accepted_rows', 'company_id') }}
{{ with_customer_ids('accepted_rows', 'person_id', 'person_ids') }}
left join {{ ref('unmatched_rows') }} as superseded
    on
        superseded.source_table = 'company_contacts'
        and accepted_rows.source_file = superseded.source_file
        and accepted_rows.source_row = superseded.source_row
where superseded.source_row is null
