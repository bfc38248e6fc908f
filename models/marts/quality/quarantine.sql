with

refused as (
    select
        source_table,
        source_file,
        source_row,
        reasons,
        raw
    from {{ ref('refused_rows') }}
    where disposition = 'quarantined'
    union all
    select
        source_table,
        source_file,
        source_row,
        reasons,
        raw
    from {{ ref('unmatched_rows') }}
)

select
    source_table,
    source_file as file,
    source_row as row_number,
    reasons,
    raw
from refused
