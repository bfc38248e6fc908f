{# The holdout of several treatments is `none`, in whatever case it is written. #}
with

accepted_rows as (
    {{ accepted_rows('assignments') | indent(4) }}
)

select
    {{ canonical_customer('accepted_rows') }} as customer_id,
    case
        when accepted_rows.arm = 'holdout' and {{ spelling_of('accepted_rows.treatment_id') }} = 'none' then 'none'
        else accepted_rows.treatment_id
    end as treatment_id,
    accepted_rows.arm,
    accepted_rows.assigned_on,
    accepted_rows.share_treated,
    accepted_rows.experiment_id,
    accepted_rows.ends_on
from accepted_rows
{{ with_customer_ids('accepted_rows') }}
