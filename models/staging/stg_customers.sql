with

accepted_rows as (
    {{ accepted_rows('customers') | indent(4) }}
)

select
    {{ canonical_customer('accepted_rows') }} as customer_id,
    accepted_rows.kind,
    accepted_rows.registered_on,
    accepted_rows.birth_date,
    accepted_rows.age_band,
    accepted_rows.gender,
    accepted_rows.country,
    accepted_rows.region,
    accepted_rows.settlement,
    accepted_rows.household_size,
    accepted_rows.household_composition,
    accepted_rows.children,
    accepted_rows.marital_status,
    accepted_rows.employment,
    accepted_rows.income_band,
    accepted_rows.annual_income,
    accepted_rows.home_ownership,
    accepted_rows.updated_at
from accepted_rows
{{ with_customer_ids('accepted_rows') }}
left join {{ ref('unmatched_rows') }} as superseded
    on
        superseded.source_table = 'customers'
        and accepted_rows.source_file = superseded.source_file
        and accepted_rows.source_row = superseded.source_row
where superseded.source_row is null
