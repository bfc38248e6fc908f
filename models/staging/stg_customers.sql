with

accepted_rows as (
    {{ accepted_rows('customers') | indent(4) }}
)

select
    customer_id,
    kind,
    registered_on,
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
    updated_at
from accepted_rows
