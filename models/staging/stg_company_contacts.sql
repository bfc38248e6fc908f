with

accepted_rows as (
    {{ accepted_rows('company_contacts') | indent(4) }}
)

select
    accepted_rows.person_id,
    {{ canonical_customer('accepted_rows', 'company_id') }} as company_id,
    accepted_rows.job_title,
    accepted_rows.department,
    accepted_rows.updated_at
from accepted_rows
{{ with_customer_ids('accepted_rows', 'company_id') }}
