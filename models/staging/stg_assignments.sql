with

accepted_rows as (
    {{ accepted_rows('assignments') | indent(4) }}
)

select
    customer_id,
    treatment_id,
    arm,
    assigned_on,
    share_treated,
    experiment_id,
    ends_on
from accepted_rows
