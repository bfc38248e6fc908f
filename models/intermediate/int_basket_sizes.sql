{# Baskets before the as-of date with at least one item of a level, their size in distinct items, and its decile:
   1 + floor(10 x baskets strictly smaller / baskets), so that equal sizes share a decile. #}
with items as (

    select items.*
    from {{ ref('int_basket_items') }} as items
    inner join {{ ref('int_as_of_dates') }} as dates on dates.is_current and items.bought_on < dates.as_of

),

sizes as (

    select
        item_level,
        order_id,
        customer_id,
        count(*) as size
    from items
    group by item_level, order_id, customer_id

)

select
    item_level,
    order_id,
    customer_id,
    size,
    1 + cast(floor(
        10e0 * (rank() over (partition by item_level order by size) - 1) / count(*) over (partition by item_level)
    ) as integer) as decile
from sizes
