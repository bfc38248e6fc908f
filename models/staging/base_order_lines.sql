{{ config(materialized='kept', by='source_file', inputs='landed_order_files') }}

{# Each order line typed once, when its file lands: refused ones and copies too. #}
{{ typed_rows_by_file('order_lines', 'select source_file from ' ~ missing(ref('landed_order_files'))) }}
