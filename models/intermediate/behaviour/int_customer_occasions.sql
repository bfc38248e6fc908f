{{ config(**kept('int_fact_dates', 'as_of')) }}

{# Each member's baskets by occasion in the RFM window before each as-of date; those of unknown hour say nothing of occasions. #}
with dates as (

    select
        as_of,
        made_from,
        {{ days_after('as_of', -(var('rfm_window_days') | int)) }} as window_start
    from ({{ partitions_to_make('int_fact_dates', 'as_of') }}) as missing_dates

)

select
    dates.as_of,
    baskets.customer_id,
    baskets.occasion,
    cast(count(*) as bigint) as baskets,
    {{ money_sum('baskets.positive_amount') }} as spend,
    dates.made_from
from {{ ref('int_basket_occasions') }} as baskets
inner join dates on baskets.basket_on < dates.as_of and baskets.basket_on >= dates.window_start
{{ with_returned_baskets('baskets', 'dates.as_of') }}
where baskets.occasion <> 'unknown' and baskets.customer_id is not null and returned.basket_number is null
group by dates.as_of, dates.made_from, baskets.customer_id, baskets.occasion
