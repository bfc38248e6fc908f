{# Members with a basket of each known segment that has at least segment_min_baskets baskets before the as-of date; segments
   by number, with their baskets. #}
with current_dates as (

    select as_of
    from {{ ref('int_current_date') }}

),

customer_baskets as (

    select
        numbers.customer_id,
        numbers.customer_number,
        count(*) as baskets
    from {{ ref('int_basket_numbers') }} as numbers
    inner join current_dates on numbers.basket_on < current_dates.as_of
    {{ with_returned_baskets('numbers', 'current_dates.as_of') }}
    where returned.basket_number is null
    group by numbers.customer_id, numbers.customer_number

),

segment_customers as (

    select
        memberships.scheme,
        memberships.segment,
        customer_baskets.customer_number,
        sum(customer_baskets.baskets) over (partition by memberships.scheme, memberships.segment) as n_baskets
    from {{ ref('int_memberships') }} as memberships
    inner join current_dates on memberships.as_of = current_dates.as_of
    inner join {{ ref('segment_schemes') }} as schemes
        on memberships.scheme = schemes.scheme and schemes.is_active
        and schemes.audience in ('person', 'company', 'person, company')
    inner join customer_baskets on memberships.member_id = customer_baskets.customer_id
    where memberships.segment <> 'unknown'

)

select
    scheme,
    segment,
    cast(dense_rank() over (order by scheme, segment) as integer) as segment_number,
    customer_number,
    cast(n_baskets as bigint) as n_baskets
from segment_customers
where n_baskets >= {{ var('segment_min_baskets') }}
