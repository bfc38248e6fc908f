with

accepted_rows as (
    {{ accepted_rows('prospects') | indent(4) }}
)

select
    prospect_id,
    kind,
    source,
    birth_date,
    age_band,
    gender,
    country,
    region,
    settlement,
    household_size,
    household_composition,
    children,
    marital_status,
    employment,
    income_band,
    annual_income,
    home_ownership,
    company_name,
    industry,
    employees,
    annual_revenue,
    process_maturity,
    benefit_sought,
    updated_at
from accepted_rows
