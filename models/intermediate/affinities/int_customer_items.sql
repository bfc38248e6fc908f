{# What each customer ever bought before the as-of date, at the level that offers are made on. #}
with customer_items as (

    select
        customer_number,
        item_key,
        sum(baskets) as baskets,
        max(last_bought_on) as last_bought_on
    from {{ ref('int_period_customer_items') }}
    where item_level = '{{ var("offer_level") }}'
    group by customer_number, item_key

)

select
    customer_items.customer_number,
    items.item_number,
    cast(customer_items.baskets as bigint) as baskets,
    customer_items.last_bought_on
from customer_items
inner join {{ ref('int_affinity_items') }} as items on customer_items.item_key = items.item_key
