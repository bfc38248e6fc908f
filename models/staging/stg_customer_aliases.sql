with

accepted_rows as (
    {{ accepted_rows('customer_aliases', refused='refused_aliases') | indent(4) }}
)

select
    alias_id,
    customer_id
from accepted_rows
