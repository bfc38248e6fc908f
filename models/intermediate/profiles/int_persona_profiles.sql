{# The personas' profiles in the shape of int_profiles. A persona has an age band and no birth date, so any day will do. #}
with personas as (

    select
        persona_id as customer_id,
        cast(null as date) as birth_date,
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
        home_ownership
    from {{ ref('personas') }}

),

declared as (

    {{ declared_profiles('personas') | indent(4) }}

),

ages as (

    select
        cast('1970-01-01' as date) as as_of,
        declared.customer_id,
        personas.kind,
        cast(null as integer) as age,
        declared.age_band as declared_age_band,
        declared.gender,
        declared.settlement,
        declared.region,
        declared.country,
        declared.employment,
        declared.marital_status,
        declared.home_ownership,
        declared.income_band,
        declared.annual_income,
        declared.household_size,
        declared.household_composition,
        declared.children
    from declared
    inner join {{ ref('personas') }} as personas on declared.customer_id = personas.persona_id

)

{{ profile_facts('ages') }}
