-- What people call an item of the catalogue: the label of the seed, else a product's name, for the products that offers and
-- gaps are made of. Items that are not here go by their own name.
with

offered_products as (
    select item as product_id
    from {{ ref('next_best_offers') }}
    where item_level = 'product'
    union
    select because_item as product_id
    from {{ ref('next_best_offers') }}
    where item_level = 'product' and because_item is not null
    union
    select gap_item as product_id
    from {{ ref('cross_sell_gaps') }}
    where item_level = 'product'
    union
    select because_item as product_id
    from {{ ref('cross_sell_gaps') }}
    where item_level = 'product'
),

names as (
    select
        item_level,
        item,
        label
    from {{ ref('item_labels') }}
    union all
    select
        'product' as item_level,
        products.product_id as item,
        products.product_name as label
    from {{ ref('stg_products') }} as products
    inner join offered_products
        on products.product_id = offered_products.product_id
    left join {{ ref('item_labels') }} as labels
        on labels.item_level = 'product' and products.product_id = labels.item
    where products.product_name is not null and labels.item is null
)

select
    item_level,
    item,
    label
from names
