{{ config(materialized='kept', by='day_on', inputs='int_order_days') }}

{# What is nobody's is a row of the day too, without a customer, so that the rows of a day are all that was sold. #}
with days as (

    {# Its days are named here: days can be too many for a filter from outside. #}
    select day_on from {{ missing(ref('int_order_days')) }}

),

spend_days as (

    select
        order_lines.customer_id,
        days.day_on,
        {{ money_sum('order_lines.amount') }} as spend,
        {{ money_sum('order_lines.discount_amount') }} as discount_amount,
        {{ money_sum('order_lines.coupon_amount') }} as coupon_amount,
        {{ money_sum("case when order_lines.brand_tier = 'private' then order_lines.amount else 0 end") }} as private_label_amount,
        {{ money_sum('case when order_lines.is_positive then order_lines.amount else 0 end') }} as positive_amount
    from {{ ref('int_order_lines') }} as order_lines
    inner join days on order_lines.ordered_on = days.day_on
    where order_lines.is_merchandise
    group by order_lines.customer_id, days.day_on

),

basket_days as (

    select
        baskets.customer_id,
        baskets.day_on,
        count(*) as baskets
    from {{ ref('int_baskets') }} as baskets
    inner join days on baskets.day_on = days.day_on
    group by baskets.customer_id, baskets.day_on

)

select
    spend_days.customer_id,
    spend_days.spend,
    spend_days.discount_amount,
    spend_days.coupon_amount,
    cast(spend_days.spend + spend_days.discount_amount as decimal(18, 4)) as gross_amount,
    spend_days.private_label_amount,
    spend_days.positive_amount,
    coalesce(basket_days.baskets, 0) as baskets,
    spend_days.day_on
from spend_days
left join basket_days
    on spend_days.day_on = basket_days.day_on and spend_days.customer_id is not distinct from basket_days.customer_id
