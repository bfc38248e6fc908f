with

accepted_rows as (
    {{ accepted_rows('touchpoints') | indent(4) }}
)

select
    accepted_rows.touchpoint_id,
    {{ canonical_customer('accepted_rows') }} as customer_id,
    accepted_rows.touched_at,
    accepted_rows.touched_at_local,
    accepted_rows.touched_on,
    accepted_rows.channel,
    accepted_rows.treatment_id,
    accepted_rows.message_id,
    accepted_rows.campaign_id,
    accepted_rows.campaign_type,
    accepted_rows.cost
from accepted_rows
{{ with_customer_ids('accepted_rows') }}
