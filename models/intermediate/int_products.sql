with products as (

    select * from {{ ref('stg_products') }}

),

patterns as (

    select * from {{ ref('non_merchandise') }}

),

non_merchandise as (

    select distinct products.product_id
    from products
    inner join patterns
        on
            (patterns.level = 'department' and lower(products.department) like lower(patterns.pattern))
            or (patterns.level = 'category' and lower(products.category) like lower(patterns.pattern))
            or (patterns.level = 'subcategory' and lower(products.subcategory) like lower(patterns.pattern))

),

brand_tiers as (

    select spelling, meaning
    from {{ ref('spellings') }}
    where attribute = 'brand_tier'

),

merchandise as (

    select
        products.product_id,
        products.product_name,
        products.department,
        products.category,
        products.subcategory,
        products.brand,
        coalesce(brand_tiers.meaning, 'unknown') as brand_tier,
        products.list_price,
        products.unit_margin,
        non_merchandise.product_id is null as is_merchandise
    from products
    left join non_merchandise on products.product_id = non_merchandise.product_id
    left join brand_tiers on lower(trim(products.brand_tier)) = brand_tiers.spelling

)

select
    product_id,
    product_name,
    department,
    category,
    subcategory,
    brand,
    brand_tier,
    list_price,
    unit_margin,
    is_merchandise,
    {{ row_hash(['department', 'category', 'subcategory', 'brand_tier', 'is_merchandise']) }} as product_hash
from merchandise
