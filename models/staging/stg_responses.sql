with

accepted_rows as (
    {{ accepted_rows('responses') | indent(4) }}
)

select
    accepted_rows.response_id,
    {{ canonical_customer('accepted_rows') }} as customer_id,
    accepted_rows.responded_at,
    accepted_rows.responded_at_local,
    accepted_rows.responded_on,
    accepted_rows.responded_at_is_day,
    accepted_rows.kind,
    accepted_rows.touchpoint_id,
    accepted_rows.campaign_id,
    accepted_rows.amount
from accepted_rows
{{ with_customer_ids('accepted_rows') }}
