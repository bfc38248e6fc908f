{# Items of the offer level: whether offers and gaps may name them at all (seed offer_exclusions), and whether they can be
   offered now. An item may be named while one of its products may, and offered while one that may be named is in stock.
   An item without a row in the products table may be offered: nothing is known against it. Stock is that of the products
   table as it is landed, whatever the as-of date. #}
with exclusions as (

    select * from {{ ref('offer_exclusions') }}

),

excluded_products as (

    select distinct products.product_id
    from {{ ref('int_products') }} as products
    inner join exclusions
        on
            {{ product_matches('products', 'exclusions') | indent(12) }}

),

{# Ids that are sold without a row in the products table too. #}
excluded_ids as (

    select distinct items.item
    from {{ ref('int_affinity_items') }} as items
    inner join exclusions
        on
            exclusions.level = 'product_id'
            and {{ lower_case('items.item') }} like {{ lower_case('exclusions.pattern') }}
    where items.item_level = 'product'

),

product_states as (

    select
        {{ item_of_level('offer_level.item_level', 'products', offer_levels()) | indent(8) }} as item,
        excluded_products.product_id is null as is_allowed,
        coalesce(stock.in_stock, true) as is_in_stock
    from {{ ref('int_products') }} as products
    cross join {{ ref('int_offer_level') }} as offer_level
    inner join {{ ref('stg_products') }} as stock on products.product_id = stock.product_id
    left join excluded_products on products.product_id = excluded_products.product_id
    where products.is_merchandise

),

item_states as (

    select
        item,
        max(case when is_allowed then 1 else 0 end) as is_allowed,
        max(case when is_allowed and is_in_stock then 1 else 0 end) as is_offered
    from product_states
    group by item

)

select
    items.item_number,
    coalesce(item_states.is_allowed, 1) = 1 and excluded_ids.item is null as is_allowed,
    coalesce(item_states.is_offered, 1) = 1 and excluded_ids.item is null as is_offered
from {{ ref('int_affinity_items') }} as items
inner join {{ ref('int_offer_level') }} as offer_level on items.item_level = offer_level.item_level
left join item_states on items.item = item_states.item
left join excluded_ids on items.item_level = 'product' and items.item = excluded_ids.item
