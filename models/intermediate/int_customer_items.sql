{# What each customer ever bought at the level that offers are made on: baskets, the last of them, and a weight that
   grows with the logarithm of baskets. Weights are whole thousandths, so that sums do not depend on their order. #}
select
    items.customer_id,
    items.item,
    count(*) as baskets,
    max(items.bought_on) as last_bought_on,
    cast(round(1000e0 * ln(1e0 + count(*))) as bigint) as weight
from {{ ref('int_basket_items') }} as items
inner join {{ ref('int_as_of_dates') }} as dates on dates.is_current and items.bought_on < dates.as_of
where items.item_level = '{{ var("offer_level") }}'
group by items.customer_id, items.item
