{{ config(alias='segment_schemes') }}

select
    scheme,
    audience,
    basis,
    description,
    is_active,
    treatment_check,
    is_data_driven
from {{ ref('segment_schemes') }}
