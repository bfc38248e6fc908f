-- Never run: the published table of this name, made after the models in orchestration/accountability/outcomes.py, as metrics ask it
-- (account_metrics.yml).
select *
from {{ source('account', 'treatment_outcomes') }}
