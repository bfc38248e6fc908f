{# What each customer ever bought before the as-of date, at the level that offers are made on. #}
with customer_items as (

    select
        period_items.customer_number,
        period_items.item_key,
        sum(period_items.baskets) as baskets,
        max(period_items.last_bought_on) as last_bought_on
    from {{ ref('int_period_customer_items') }} as period_items
    inner join {{ ref('int_offer_level') }} as offer_level on period_items.item_level = offer_level.item_level
    group by period_items.customer_number, period_items.item_key

)

select
    customer_items.customer_number,
    items.item_number,
    cast(customer_items.baskets as bigint) as baskets,
    customer_items.last_bought_on
from customer_items
inner join {{ ref('int_affinity_items') }} as items on customer_items.item_key = items.item_key
