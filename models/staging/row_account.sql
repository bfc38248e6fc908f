with

landed as (
    {{ landed_counts() | indent(4) }}
),

staged as (
    {% for table in landing_tables() %}
    select
        '{{ table }}' as source_table,
        count(*) as rows_staged,
        {% if table == 'order_lines' %}sum(case when is_counted then 0 else 1 end){% else %}0{% endif %} as rows_not_counted
    from {{ ref('stg_' ~ table) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

refused as (
    select
        source_table,
        sum(case when disposition <> 'duplicate' then 1 else 0 end) as rows_quarantined,
        sum(case when disposition = 'duplicate' then 1 else 0 end) as rows_duplicate
    from (
        select source_table, disposition from {{ ref('refused_rows') }}
        union all
        select source_table, disposition from {{ ref('unmatched_rows') }}
    ) as refusals
    group by source_table
)

select
    {{ text('landed.source_table') }} as source_table,
    cast(landed.rows_landed as bigint) as rows_landed,
    cast(staged.rows_staged as bigint) as rows_staged,
    cast(coalesce(refused.rows_quarantined, 0) as bigint) as rows_quarantined,
    cast(coalesce(refused.rows_duplicate, 0) as bigint) as rows_duplicate,
    cast(coalesce(staged.rows_not_counted, 0) as bigint) as rows_not_counted
from landed
inner join staged on landed.source_table = staged.source_table
left join refused on landed.source_table = refused.source_table
