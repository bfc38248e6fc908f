{# Everyone who is known: in the customer or company file, or by an order line; a company file wins. `first_line_on` is null
   for who never ordered. The ids of guests are nobody's. #}
with buyers as (

    select
        customer_id,
        min(ordered_on) as first_line_on
    from {{ ref('stg_order_lines') }}
    where is_counted and customer_id is not null
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
    where customer_id not in (select alias_id from {{ ref('base_customer_ids') }} where is_guest)
    group by customer_id

)

select
    coalesce(profile_kinds.customer_id, buyers.customer_id) as customer_id,
    coalesce(profile_kinds.kind, 'person') as kind,
    profile_kinds.customer_id is not null as is_profiled,
    {{ customer_number('coalesce(profile_kinds.customer_id, buyers.customer_id)') }} as customer_number,
    buyers.first_line_on
from profile_kinds
full outer join buyers on profile_kinds.customer_id = buyers.customer_id
