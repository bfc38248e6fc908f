with

accepted_rows as (
    {{ accepted_rows('responses') | indent(4) }}
)

select
    response_id,
    customer_id,
    responded_at,
    responded_at_local,
    responded_on,
    kind,
    touchpoint_id,
    campaign_id,
    amount
from accepted_rows
