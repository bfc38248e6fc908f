-- Never run: the published table of this name, made after the models in orchestration/accountability/dividend.py, as metrics ask it
-- (account_metrics.yml).
select *
from {{ source('account', 'segmentation_dividend') }}
