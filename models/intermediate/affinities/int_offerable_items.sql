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
            (exclusions.level = 'department' and lower(products.department) like lower(exclusions.pattern))
            or (exclusions.level = 'category' and lower(products.category) like lower(exclusions.pattern))
            or (exclusions.level = 'subcategory' and lower(products.subcategory) like lower(exclusions.pattern))

),

product_states as (

    select
        products.{{ item_column(var('offer_level')) }} as item,
        excluded_products.product_id is null as is_allowed,
        coalesce(stock.in_stock, true) as is_in_stock
    from {{ ref('int_products') }} as products
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
    coalesce(item_states.is_allowed, 1) = 1 as is_allowed,
    coalesce(item_states.is_offered, 1) = 1 as is_offered
from {{ ref('int_affinity_items') }} as items
left join item_states on items.item = item_states.item
where items.item_level = '{{ var("offer_level") }}'
