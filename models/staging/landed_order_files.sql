{{ config(materialized='view') }}

{# The files of order lines, each with what changes when it does: what base_order_lines is kept by. #}
select
    source_file,
    made_from
from {{ source('landed', 'files') }}
where source_table = 'order_lines'
