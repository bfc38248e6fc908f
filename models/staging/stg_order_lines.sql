with

accepted_rows as (
    {{ accepted_rows('order_lines') | indent(4) }}
)

select
    order_id,
    customer_id,
    product_id,
    ordered_at,
    ordered_at_local,
    ordered_on,
    quantity,
    amount,
    line_number,
    discount_amount,
    coupon_amount,
    channel,
    store_id,
    currency
from accepted_rows
