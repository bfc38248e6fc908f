{# What each member says of themselves, in the rules' words; null where nothing (usable) was said. Ages are as of the date. #}

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
        case
            when declared.birth_date < members.as_of
                then {{ years_between('declared.birth_date', 'members.as_of') }}
        end as age,
        declared.age_band as declared_age_band,
        declared.gender,
        coalesce(declared.settlement, company_settlements.meaning) as settlement,
        coalesce(declared.region, companies.region) as region,
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
        on lower(trim(companies.settlement)) = company_settlements.spelling

)

{{ profile_facts('ages') }}
