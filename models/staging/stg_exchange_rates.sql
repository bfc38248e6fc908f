with

accepted_rows as (
    {{ accepted_rows('exchange_rates') | indent(4) }}
)

select
    currency,
    valid_from,
    rate
from accepted_rows
