{# Products, and ids that were sold without a row in the products table where a pattern says that they are no merchandise: to know
   of the others would say nothing. #}
with patterns as (

    select
        level,
        {{ lower_case('pattern') }} as pattern
    from {{ ref('non_merchandise') }}

),

listed_products as (

    select
        product_id,
        product_name,
        department,
        category,
        subcategory,
        brand,
        brand_tier,
        list_price,
        unit_margin
    from {{ ref('stg_products') }}

),

sold_patterns as (

    select pattern
    from patterns
    where level = 'product_id'

),

unlisted_products as (

    select sold.product_id
    from (select distinct product_id from {{ ref('stg_order_lines') }}) as sold
    left join listed_products on sold.product_id = listed_products.product_id
    where listed_products.product_id is null

),

products as (

    select * from listed_products

    union all

    select distinct
        unlisted_products.product_id,
        cast(null as string) as product_name,
        cast(null as string) as department,
        cast(null as string) as category,
        cast(null as string) as subcategory,
        cast(null as string) as brand,
        cast(null as string) as brand_tier,
        cast(null as decimal(18, 4)) as list_price,
        cast(null as decimal(18, 4)) as unit_margin
    from unlisted_products
    inner join sold_patterns on {{ lower_case('unlisted_products.product_id') }} like sold_patterns.pattern

),

non_merchandise as (

    select distinct products.product_id
    from products
    inner join patterns
        on
            {{ product_matches('products', 'patterns', lowered=true) | indent(12) }}

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
    left join {{ meaning_of('brand_tier') }} as brand_tiers
        on {{ spelling_of('products.brand_tier') }} = brand_tiers.spelling

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
