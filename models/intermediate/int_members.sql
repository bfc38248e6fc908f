with buyers as (

    select
        customer_id,
        min(ordered_on) as first_line_on
    from {{ ref('stg_order_lines') }}
    group by customer_id

),

profiles as (

    select
        customer_id,
        kind,
        false as is_company
    from {{ ref('stg_customers') }}
    union all
    select
        company_id as customer_id,
        'company' as kind,
        true as is_company
    from {{ ref('stg_companies') }}

),

profile_kinds as (

    select
        customer_id,
        case when max(case when is_company or kind = 'company' then 1 else 0 end) = 1 then 'company' else 'person' end as kind
    from profiles
    group by customer_id

)

select
    dates.as_of,
    profile_kinds.customer_id,
    profile_kinds.kind
from profile_kinds
cross join {{ ref('int_as_of_dates') }} as dates

union all

select
    dates.as_of,
    buyers.customer_id,
    'person' as kind
from buyers
inner join {{ ref('int_as_of_dates') }} as dates on buyers.first_line_on < dates.as_of
left join profile_kinds on buyers.customer_id = profile_kinds.customer_id
where profile_kinds.customer_id is null
