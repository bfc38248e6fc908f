with

accepted_rows as (
    {{ accepted_rows('company_contacts') | indent(4) }}
)

select
    person_id,
    company_id,
    job_title,
    department,
    updated_at
from accepted_rows
