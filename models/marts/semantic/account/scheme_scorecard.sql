-- Never run: the published table of this name, made after the models in orchestration/accountability/scorecard.py, as metrics ask it
-- (account_metrics.yml).
select *
from {{ source('account', 'scheme_scorecard') }}
