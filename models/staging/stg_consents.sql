with

accepted_rows as (
    {{ accepted_rows('consents') | indent(4) }}
)

select
    {{ canonical_customer('accepted_rows') }} as customer_id,
    accepted_rows.channel,
    accepted_rows.opted_in,
    accepted_rows.recorded_at,
    accepted_rows.recorded_at_local,
    accepted_rows.recorded_on,
    accepted_rows.recorded_at_is_day
from accepted_rows
{{ with_customer_ids('accepted_rows') }}
