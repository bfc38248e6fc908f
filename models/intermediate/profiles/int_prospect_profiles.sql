{# The prospects' profiles in the rules' words, in the shape of int_profiles, as of the current date. A kind that no spelling
   knows, or that is not given, is read from what else is said: what only companies have makes a company. #}
with prospects as (

    select
        prospects.prospect_id as customer_id,
        coalesce(
            kinds.meaning,
            case
                when
                    prospects.company_name is not null
                    or prospects.industry is not null
                    or prospects.employees is not null
                    or prospects.annual_revenue is not null
                    or prospects.process_maturity is not null
                    or prospects.benefit_sought is not null
                    then 'company'
                else 'person'
            end
        ) as kind,
        prospects.birth_date,
        prospects.age_band,
        prospects.gender,
        prospects.country,
        prospects.region,
        prospects.settlement,
        prospects.household_size,
        prospects.household_composition,
        prospects.children,
        prospects.marital_status,
        prospects.employment,
        prospects.income_band,
        prospects.annual_income,
        prospects.home_ownership
    from {{ ref('stg_prospects') }} as prospects
    left join {{ meaning_of('kind') }} as kinds on {{ spelling_of('prospects.kind') }} = kinds.spelling

),

declared as (

    {{ declared_profiles('prospects') | indent(4) }}

),

ages as (

    select
        dates.as_of,
        declared.customer_id,
        prospects.kind,
        {{ age_on('declared.birth_date', 'dates.as_of') | indent(8) }} as age,
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
    inner join prospects on declared.customer_id = prospects.customer_id
    cross join {{ ref('int_current_date') }} as dates

)

{{ profile_facts('ages') }}
