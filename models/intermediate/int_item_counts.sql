{# Baskets with each item, by size decile of the basket. #}
select
    items.item_level,
    items.item,
    sizes.decile,
    count(*) as n_baskets
from {{ ref('int_basket_items') }} as items
inner join {{ ref('int_as_of_dates') }} as dates on dates.is_current and items.bought_on < dates.as_of
inner join {{ ref('int_basket_sizes') }} as sizes
    on
        items.item_level = sizes.item_level
        and items.order_id = sizes.order_id
        and items.customer_id = sizes.customer_id
group by items.item_level, items.item, sizes.decile
