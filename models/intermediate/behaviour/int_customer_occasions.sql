{{ config(materialized='kept', by='as_of', inputs='int_fact_dates') }}

{# Each member's baskets by occasion in the behaviour window before each as-of date; those of unknown hour say nothing of occasions. #}
with dates as (

    {# Its dates are named here: what is added up is of earlier days. #}
    select
        as_of,
        window_start_on
    from {{ missing(ref('int_fact_dates')) }}

)

select
    dates.as_of,
    baskets.customer_id,
    baskets.occasion,
    cast(count(*) as bigint) as baskets,
    {{ money_sum('baskets.positive_amount') }} as spend
from {{ ref('int_basket_occasions') }} as baskets
inner join dates on baskets.basket_on < dates.as_of and baskets.basket_on >= dates.window_start_on
{{ with_returned_baskets('baskets', 'dates.as_of') }}
where baskets.occasion <> 'unknown' and baskets.customer_id is not null and returned.basket_number is null
group by dates.as_of, baskets.customer_id, baskets.occasion
