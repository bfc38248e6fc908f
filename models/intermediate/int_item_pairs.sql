{# Baskets with both items of an unordered pair (item_a < item_b), kept from min_pair_count on. An item in fewer baskets
   than that can be in no such pair, so leaving it out before the join loses nothing. #}
with frequent_items as (

    select
        item_level,
        item
    from {{ ref('int_item_counts') }}
    group by item_level, item
    having sum(n_baskets) >= {{ var('min_pair_count') }}

),

items as (

    select
        items.item_level,
        items.order_id,
        items.customer_id,
        items.item
    from {{ ref('int_basket_items') }} as items
    inner join {{ ref('int_as_of_dates') }} as dates on dates.is_current and items.bought_on < dates.as_of
    inner join frequent_items on items.item_level = frequent_items.item_level and items.item = frequent_items.item

)

select
    first_items.item_level,
    first_items.item as item_a,
    second_items.item as item_b,
    count(*) as n_both
from items as first_items
inner join items as second_items
    on
        first_items.item_level = second_items.item_level
        and first_items.order_id = second_items.order_id
        and first_items.customer_id = second_items.customer_id
        and first_items.item < second_items.item
group by first_items.item_level, first_items.item, second_items.item
having count(*) >= {{ var('min_pair_count') }}
