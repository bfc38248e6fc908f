{{ config(materialized='kept', by='as_of', inputs='int_member_dates') }}
-- depends_on: {{ ref('int_member_dates') }}

{# What each member says of themselves, in the rules' words; null where nothing (usable) was said. Ages are as of the date;
   one that nobody reaches is a placeholder such as 1900-01-01, and says nothing. #}

with customers as (

    select * from {{ ref('stg_customers') }}

),

declared as (

    {{ declared_profiles('customers') | indent(4) }}

),

ages as (

    select
        members.as_of,
        members.customer_id,
        members.kind,
        declared.birth_date,
        {{ age_on('declared.birth_date', 'members.as_of') | indent(8) }} as age,
        declared.age_band as declared_age_band,
        declared.gender,
        coalesce(declared.settlement, company_settlements.meaning) as settlement,
        coalesce({{ known_label('declared.region') }}, {{ known_label('companies.region') }}) as region,
        coalesce({{ known_label('declared.country') }}, {{ known_label('companies.country') }}) as country,
        declared.employment,
        declared.marital_status,
        declared.home_ownership,
        declared.income_band,
        declared.annual_income,
        declared.household_size,
        declared.household_composition,
        declared.children
    from {{ ref('int_members') }} as members
    left join declared on members.customer_id = declared.customer_id
    left join {{ ref('stg_companies') }} as companies on members.customer_id = companies.company_id
    left join {{ meaning_of('settlement') }} as company_settlements
        on {{ spelling_of('companies.settlement') }} = company_settlements.spelling

)

{# Age bands, adults, children, income band and money_level: macros/profiles.sql. #}
{{ profile_facts('ages') }}
