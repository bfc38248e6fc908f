{{ config(materialized='view') }}

{# A view: what is counted of lines is kept by local day. Lines whose status does not count are nowhere from here on. A line
   without a customer is nobody's; one whose file gave a date alone has a day and no time; one whose quantity comes back has its
   money below zero, and one that is sold its discounts above, whichever sign its file gives them. `line_hash` changes with the
   line and with its product. #}
select
    order_lines.order_id,
    order_lines.customer_id,
    order_lines.product_id,
    order_lines.store_id,
    order_lines.channel,
    case when order_lines.ordered_at_is_day then null else order_lines.ordered_at_local end as ordered_at_local,
    order_lines.ordered_on,
    products.department,
    products.category,
    products.subcategory,
    coalesce(products.brand_tier, 'unknown') as brand_tier,
    order_lines.quantity,
    {{ signed_money('order_lines.amount', 'order_lines.quantity') }} as amount,
    coalesce({{ signed_discount('order_lines.discount_amount', 'order_lines.amount', 'order_lines.quantity') }}, 0) as discount_amount,
    coalesce({{ signed_discount('order_lines.coupon_amount', 'order_lines.amount', 'order_lines.quantity') }}, 0) as coupon_amount,
    coalesce(products.is_merchandise, true) as is_merchandise,
    order_lines.quantity > 0 and order_lines.amount >= 0 as is_positive,
    {{ row_hash(['order_lines.content_hash', 'order_lines.ordered_at_is_day', 'products.product_hash']) }} as line_hash
from {{ ref('stg_order_lines') }} as order_lines
left join {{ ref('int_products') }} as products on order_lines.product_id = products.product_id
where order_lines.is_counted
