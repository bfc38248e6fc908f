with

accepted_rows as (
    {{ accepted_rows('companies') | indent(4) }}
)

select
    {{ canonical_customer('accepted_rows', 'company_id') }} as company_id,
    accepted_rows.company_name,
    accepted_rows.industry,
    accepted_rows.employees,
    accepted_rows.annual_revenue,
    accepted_rows.process_maturity,
    accepted_rows.benefit_sought,
    accepted_rows.country,
    accepted_rows.region,
    accepted_rows.settlement,
    accepted_rows.updated_at
from accepted_rows
{{ with_customer_ids('accepted_rows', 'company_id') }}
left join {{ ref('unmatched_rows') }} as superseded
    on
        superseded.source_table = 'companies'
        and accepted_rows.source_file = superseded.source_file
        and accepted_rows.source_row = superseded.source_row
where superseded.source_row is null
