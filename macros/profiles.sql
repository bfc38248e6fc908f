{# From profile columns as files spell them to facts that rules can ask for: for customers (int_profiles), prospects
   (int_prospect_profiles), and the personas that a marketer describes (int_persona_profiles). #}

{# Age in years on a day; null for a birth date that is not before the day, and for an age beyond var oldest_age. #}
{% macro age_on(birth_date, day) -%}
case
    when
        {{ birth_date }} < {{ day }}
        and {{ years_between(birth_date, day) }} <= {{ var('oldest_age') }}
        then {{ years_between(birth_date, day) }}
end
{%- endmacro %}

{# The profile columns of `relation` (named as in the contract's customers), in the words of the seed spellings; null where
   nothing usable was said. One row a `customer_id`. #}
{% macro declared_profiles(relation) %}
select
    customers.customer_id,
    customers.birth_date,
    customers.country,
    customers.region,
    customers.annual_income,
    genders.meaning as gender,
    declared_age_bands.meaning as age_band,
    settlements.meaning as settlement,
    employments.meaning as employment,
    marital_statuses.meaning as marital_status,
    home_ownerships.meaning as home_ownership,
    income_bands.meaning as income_band,
    compositions.meaning as household_composition,
    {{ leading_number(trimmed('customers.household_size')) }} as household_size,
    {{ leading_number(trimmed('customers.children')) }} as children
from {{ relation }} as customers
left join {{ meaning_of('gender') }} as genders on {{ spelling_of('customers.gender') }} = genders.spelling
left join {{ meaning_of('age_band') }} as declared_age_bands
    on {{ spelling_of('customers.age_band') }} = declared_age_bands.spelling
left join {{ meaning_of('settlement') }} as settlements
    on {{ spelling_of('customers.settlement') }} = settlements.spelling
left join {{ meaning_of('employment') }} as employments
    on {{ spelling_of('customers.employment') }} = employments.spelling
left join {{ meaning_of('marital_status') }} as marital_statuses
    on {{ spelling_of('customers.marital_status') }} = marital_statuses.spelling
left join {{ meaning_of('home_ownership') }} as home_ownerships
    on {{ spelling_of('customers.home_ownership') }} = home_ownerships.spelling
left join {{ meaning_of('income_band') }} as income_bands
    on {{ spelling_of('customers.income_band') }} = income_bands.spelling
left join {{ meaning_of('household_composition') }} as compositions
    on {{ spelling_of('customers.household_composition') }} = compositions.spelling
{% endmacro %}

{# What rules ask for, from `relation`: declared profiles with as_of, kind, age in years and declared_age_band. #}
{% macro profile_facts(relation) %}
select
    ages.as_of,
    ages.customer_id,
    ages.kind,
    ages.age,
    coalesce(bands_of_age.age_band, declared_bands.age_band) as age_band,
    coalesce(ages.age, declared_bands.min_age) as age_from,
    coalesce(ages.age, declared_bands.max_age, case when declared_bands.age_band is not null then 150 end) as age_to,
    ages.gender,
    ages.settlement,
    ages.region,
    ages.country,
    ages.employment,
    ages.marital_status,
    ages.home_ownership,
    coalesce(bands_of_income.income_band, ages.income_band) as income_band,
    coalesce(bands_of_income.money_level, declared_incomes.money_level) as money_level,
    ages.household_size,
    case
        when ages.household_composition like '1_adult%' then 1
        when ages.household_composition like '2_adults%' then 2
        when ages.household_size - ages.children >= 1 then least(2, ages.household_size - ages.children)
        when ages.household_size = 1 then 1
        when ages.marital_status = 'married' then 2
    end as adults,
    case
        when ages.children > 0 then true
        when ages.household_composition like '%no_children' then false
        when ages.household_composition like '%children' then true
        when ages.children = 0 then false
        when ages.household_size = 1 then false
    end as has_children
from {{ relation }} as ages
left join {{ ref('age_bands') }} as bands_of_age
    on ages.age >= bands_of_age.min_age and (ages.age <= bands_of_age.max_age or bands_of_age.max_age is null)
left join {{ ref('age_bands') }} as declared_bands
    on ages.age is null and ages.declared_age_band = declared_bands.age_band
left join {{ ref('income_bands') }} as bands_of_income
    on
        ages.annual_income >= bands_of_income.min_income
        and (ages.annual_income < bands_of_income.max_income + 1 or bands_of_income.max_income is null)
left join {{ ref('income_bands') }} as declared_incomes
    on bands_of_income.income_band is null and ages.income_band = declared_incomes.income_band
{% endmacro %}
