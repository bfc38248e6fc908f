with

accepted_rows as (
    {{ accepted_rows('companies') | indent(4) }}
)

select
    company_id,
    company_name,
    industry,
    employees,
    annual_revenue,
    process_maturity,
    benefit_sought,
    country,
    region,
    settlement,
    updated_at
from accepted_rows
