with spend_days as (

    select
        customer_id,
        ordered_on as day_on,
        sum(amount) as spend,
        sum(discount_amount) as discount_amount,
        sum(coupon_amount) as coupon_amount,
        sum(case when brand_tier = 'private' then amount else 0 end) as private_label_amount,
        sum(case when is_positive then amount else 0 end) as positive_amount
    from {{ ref('int_order_lines') }}
    where is_merchandise
    group by customer_id, ordered_on

),

basket_days as (

    select
        customer_id,
        basket_on as day_on,
        count(*) as baskets
    from {{ ref('int_baskets') }}
    group by customer_id, basket_on

)

select
    spend_days.customer_id,
    spend_days.day_on,
    spend_days.spend,
    spend_days.discount_amount,
    spend_days.coupon_amount,
    spend_days.spend + spend_days.discount_amount as gross_amount,
    spend_days.private_label_amount,
    spend_days.positive_amount,
    coalesce(basket_days.baskets, 0) as baskets
from spend_days
left join basket_days
    on spend_days.customer_id = basket_days.customer_id and spend_days.day_on = basket_days.day_on
