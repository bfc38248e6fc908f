{{ config(**kept('landed_order_files', 'source_file')) }}

{# Each order line typed once, when its file lands: refused ones and copies too. #}
{{ typed_rows_by_file('order_lines', partitions_to_make('landed_order_files', 'source_file')) }}
