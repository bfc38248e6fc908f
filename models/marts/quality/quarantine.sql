with

refused as (
    select
        source_table,
        source_file,
        source_row,
        reasons,
        superseded_by,
        raw
    from {{ ref('refused_rows') }}
    where disposition in ('quarantined', 'superseded')
    union all
    select
        source_table,
        source_file,
        source_row,
        reasons,
        superseded_by,
        raw
    from {{ ref('unmatched_rows') }}
)

select
    source_table,
    source_file as file,
    source_row as row_number,
    reasons,
    superseded_by,
    raw
from refused
