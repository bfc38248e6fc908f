with

accepted_rows as (
    {{ accepted_rows('touchpoints') | indent(4) }}
)

select
    touchpoint_id,
    customer_id,
    touched_at,
    touched_at_local,
    touched_on,
    channel,
    treatment_id,
    message_id,
    campaign_id,
    campaign_type,
    cost
from accepted_rows
