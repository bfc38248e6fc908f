with

accepted_rows as (
    {{ accepted_rows('consents') | indent(4) }}
)

select
    customer_id,
    channel,
    opted_in,
    recorded_at,
    recorded_at_local,
    recorded_on
from accepted_rows
