{# Each member's baskets by occasion in the RFM window before each as-of date. #}
with dates as (

    select
        as_of,
        {{ days_after('as_of', -(var('rfm_window_days') | int)) }} as window_start
    from {{ ref('int_as_of_dates') }}

)

select
    dates.as_of,
    baskets.customer_id,
    baskets.occasion,
    cast(count(*) as bigint) as baskets,
    sum(baskets.positive_amount) as spend
from {{ ref('int_basket_occasions') }} as baskets
inner join dates on baskets.basket_on < dates.as_of and baskets.basket_on >= dates.window_start
group by dates.as_of, baskets.customer_id, baskets.occasion
