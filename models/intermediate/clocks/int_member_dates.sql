{# What is made of everyone's profile as well as their behaviour on each as-of date: the hash of int_fact_dates, and one of
   the customer, company and contact files, which have no date, of who of them is no guest, and of whose contacts are a prospect's.
   When a row was last changed says nothing of the customer. #}
with profile_rows as (

    select {{ row_hash(contract_columns('customers') | reject('equalto', 'updated_at') | list) }} as profile_hash
    from {{ ref('stg_customers') }}
    union all
    select {{ row_hash(contract_columns('companies') | reject('equalto', 'updated_at') | list) }} as profile_hash
    from {{ ref('stg_companies') }}
    union all
    select {{ row_hash(contract_columns('company_contacts') | reject('equalto', 'updated_at') | list) }} as profile_hash
    from {{ ref('stg_company_contacts') }}
    union all
    select {{ row_hash(['customer_id', "'profiled'"]) }} as profile_hash
    from {{ ref('int_customers') }}
    where is_profiled
    union all
    select {{ row_hash(['person_id', "'prospect'"]) }} as profile_hash
    from {{ ref('int_prospect_contacts') }}

),

profiles as (

    select {{ hash_sum('profile_hash') }} as profiles_hash
    from profile_rows

)

select
    dates.as_of,
    {{ row_hash(['dates.made_from', 'profiles.profiles_hash']) }} as made_from
from {{ ref('int_fact_dates') }} as dates
cross join profiles
