{{ config(materialized='kept', by='as_of', inputs='int_fact_dates') }}

{# How strongly a person's baskets follow prices: the mean of two percentile ranks, that of the share of discounts and
   coupons and that of the private-label share, among persons with enough baskets in the window. 0 = least, 1 = most. Where all
   of them are alike in both (the files may have no discounts and no brand tiers) nothing is known of anybody, and the date has
   no rows. #}
with shoppers as (

    select
        features.as_of,
        features.customer_id,
        {# Rounded, so that equal shares of different amounts stay equal: ranks see the last bit. #}
        round(features.discount_share, 12) as discount_share,
        round(coalesce(features.private_label_share, 0e0), 12) as private_label_share
    from {{ ref('int_buyer_features') }} as features
    where
        features.kind = 'person'
        and features.frequency >= {{ var('price_sensitivity_min_baskets') }}
        and features.discount_share is not null

),

told_dates as (

    select as_of
    from shoppers
    group by as_of
    having min(discount_share) < max(discount_share) or min(private_label_share) < max(private_label_share)

),

scores as (

    select
        shoppers.as_of,
        shoppers.customer_id,
        shoppers.discount_share,
        shoppers.private_label_share,
        round(
            (
                percent_rank() over (partition by shoppers.as_of order by shoppers.discount_share)
                + percent_rank() over (partition by shoppers.as_of order by shoppers.private_label_share)
            ) / 2,
            12
        ) as price_sensitivity
    from shoppers
    inner join told_dates on shoppers.as_of = told_dates.as_of

)

select
    as_of,
    customer_id,
    discount_share,
    private_label_share,
    price_sensitivity,
    percent_rank() over (partition by as_of order by price_sensitivity) >= {{ var('price_sensitivity_cut') }} as is_price_sensitive
from scores
