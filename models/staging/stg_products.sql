with

accepted_rows as (
    {{ accepted_rows('products') | indent(4) }}
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
    in_stock,
    updated_at
from accepted_rows
