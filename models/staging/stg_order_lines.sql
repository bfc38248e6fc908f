{{ config(materialized='view') }}

{# A view: its rows are kept in base_order_lines, and what is reduced of them in the facts. #}
select
    lines.order_id,
    lines.customer_id,
    lines.product_id,
    lines.ordered_at,
    lines.ordered_at_local,
    lines.ordered_on,
    lines.ordered_at_is_day,
    lines.quantity,
    lines.amount,
    lines.line_number,
    lines.discount_amount,
    lines.coupon_amount,
    lines.channel,
    lines.store_id,
    lines.currency,
    lines.content_hash
from {{ ref('base_order_lines') }} as lines
left join {{ ref('refused_rows') }} as refused
    on
        refused.source_table = 'order_lines'
        and lines.source_file = refused.source_file
        and lines.source_row = refused.source_row
where not lines.is_refused and refused.source_row is null
