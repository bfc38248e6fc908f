{{ config(materialized='kept', by='day_on', inputs='int_order_days') }}

{# What each basket, with all its lines, was bought for: the first rule that fits its size, weekday and hour. #}
with baskets as (

    select
        baskets.basket_number,
        baskets.order_id,
        baskets.customer_id,
        baskets.basket_on,
        baskets.positive_amount,
        baskets.n_lines,
        {{ iso_weekday('baskets.basket_on') }} as weekday,
        {{ hour_of('baskets.first_at_local') }} as hour,
        days.day_on
    from {{ ref('int_baskets') }} as baskets
    {# Its days are named here: no filter from outside reaches what is read twice. #}
    inner join {{ missing(ref('int_order_days')) }} as days on baskets.day_on = days.day_on

)

{{ with_occasions(
    'baskets',
    key=['basket_number'],
    columns=['basket_number', 'order_id', 'customer_id', 'basket_on', 'positive_amount', 'day_on'],
) }}
