{{ config(materialized='kept', by='as_of', inputs='int_fact_dates') }}

{# Behaviour of everyone who ordered before each as-of date: the last basket ever, and sums over the behaviour window. #}
with dates as (

    {# Its dates are named here: what is added up is of earlier days. #}
    select
        as_of,
        window_start_on
    from {{ missing(ref('int_fact_dates')) }}

),

basket_spans as (

    select
        dates.as_of,
        baskets.customer_id,
        min(baskets.basket_on) as first_basket_on,
        max(baskets.basket_on) as last_basket_on
    from {{ ref('int_baskets') }} as baskets
    inner join dates on baskets.basket_on < dates.as_of
    {{ with_returned_baskets('baskets', 'dates.as_of') }}
    where baskets.customer_id is not null and returned.basket_number is null
    group by dates.as_of, baskets.customer_id

),

windows as (

    select
        dates.as_of,
        days.customer_id,
        sum(days.baskets) as frequency,
        sum(days.spend) as monetary,
        sum(days.discount_amount) as discount_amount,
        sum(days.coupon_amount) as coupon_amount,
        sum(days.gross_amount) as gross_amount,
        sum(days.private_label_amount) as private_label_amount
    from {{ ref('int_customer_days') }} as days
    inner join dates on days.day_on < dates.as_of and days.day_on >= dates.window_start_on
    where days.customer_id is not null
    group by dates.as_of, days.customer_id

),

{# They are counted on the days on which they were bought. #}
returned_baskets as (

    select
        dates.as_of,
        returned.customer_id,
        count(*) as baskets
    from {{ ref('int_returned_baskets') }} as returned
    inner join dates
        on
            returned.returned_on < dates.as_of
            and returned.basket_on < dates.as_of
            and returned.basket_on >= dates.window_start_on
    where returned.customer_id is not null
    group by dates.as_of, returned.customer_id

)

select
    members.as_of,
    members.customer_id,
    members.kind,
    basket_spans.first_basket_on,
    basket_spans.last_basket_on,
    {{ days_between('basket_spans.last_basket_on', 'members.as_of') }} as recency_days,
    cast(coalesce(windows.frequency, 0) - coalesce(returned_baskets.baskets, 0) as bigint) as frequency,
    cast(coalesce(windows.monetary, 0) as decimal(18, 4)) as monetary,
    {{ discount_share('windows.discount_amount', 'windows.coupon_amount', 'windows.gross_amount') }} as discount_share,
    {{ private_label_share('windows.private_label_amount', 'windows.monetary') }} as private_label_share
from {{ ref('int_buyers') }} as members
inner join dates on members.as_of = dates.as_of
left join basket_spans
    on members.as_of = basket_spans.as_of and members.customer_id = basket_spans.customer_id
left join windows
    on members.as_of = windows.as_of and members.customer_id = windows.customer_id
left join returned_baskets
    on members.as_of = returned_baskets.as_of and members.customer_id = returned_baskets.customer_id
