{# What customers, prospects and personas say of themselves, in one shape and the rules' words, for scoring prospects
   (orchestration/prospects). Empty where there are no prospects: then nobody asks. #}
with profiles as (

    {% for population, profiles in [
        ('customer', ref('int_profiles')),
        ('prospect', ref('int_prospect_profiles')),
        ('persona', ref('int_persona_profiles')),
    ] -%}
    select
        '{{ population }}' as population,
        profiles.customer_id as member_id,
        profiles.kind,
        profiles.age_band,
        profiles.gender,
        profiles.country,
        profiles.region,
        profiles.settlement,
        profiles.household_size,
        profiles.adults,
        profiles.has_children,
        profiles.marital_status,
        profiles.employment,
        profiles.income_band,
        profiles.home_ownership
    from {{ profiles }} as profiles
    {% if population == 'customer' -%}
    inner join {{ ref('int_current_date') }} as dates on profiles.as_of = dates.as_of
    {% endif -%}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

firms as (

    select
        'customer' as population,
        company_id as member_id,
        industry,
        employees,
        annual_revenue,
        process_maturity,
        benefit_sought
    from {{ ref('stg_companies') }}
    union all
    select
        'prospect' as population,
        prospect_id as member_id,
        industry,
        employees,
        annual_revenue,
        process_maturity,
        benefit_sought
    from {{ ref('stg_prospects') }}

)

select
    profiles.population,
    profiles.member_id,
    profiles.kind,
    profiles.age_band,
    profiles.gender,
    {# An industry or a place that is called unknown, or has no letter, says nothing, and is none to schemes either. #}
    {{ known_label(spelling_of('profiles.country')) }} as country,
    {{ known_label(spelling_of('profiles.region')) }} as region,
    profiles.settlement,
    {# `5+` is how files say five and more. #}
    cast(case when profiles.household_size > 5 then 5 else profiles.household_size end as string) as household_size,
    cast(profiles.adults as string) as adults,
    case when profiles.has_children then 'yes' when not profiles.has_children then 'no' end as has_children,
    profiles.marital_status,
    profiles.employment,
    profiles.income_band,
    profiles.home_ownership,
    {{ known_label(spelling_of('firms.industry')) }} as industry,
    case when firms.employees >= 0 then cast(firms.employees as double) end as employees,
    case when firms.annual_revenue >= 0 then cast(firms.annual_revenue as double) end as annual_revenue,
    case when firms.process_maturity between 1 and 5 then cast(firms.process_maturity as string) end as process_maturity,
    benefits.meaning as benefit_sought
from profiles
left join firms
    on
        profiles.population = firms.population
        and case when profiles.kind = 'company' then profiles.member_id end = firms.member_id
left join {{ meaning_of('benefit_sought') }} as benefits
    on {{ spelling_of('firms.benefit_sought') }} = benefits.spelling
where exists (select 1 from {{ ref('stg_prospects') }})
