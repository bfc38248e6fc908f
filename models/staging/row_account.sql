with

landed as (
    {{ landed_counts() | indent(4) }}
),

staged as (
    {% for table in landing_tables() %}
    select
        '{{ table }}' as source_table,
        count(*) as rows_staged,
        {% if table == 'order_lines' %}sum(case when is_counted then 0 else 1 end){% else %}0{% endif %} as rows_not_counted,
        {% if table == 'order_lines' %}sum(case when is_counted and customer_id is null then 1 else 0 end){% else %}0{% endif %} as rows_anonymous
    from {{ ref('stg_' ~ table) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

refused as (
    select
        source_table,
        sum(case when disposition <> 'duplicate' then 1 else 0 end) as rows_quarantined,
        sum(case when disposition = 'superseded' then 1 else 0 end) as rows_superseded,
        sum(case when disposition = 'duplicate' then 1 else 0 end) as rows_duplicate
    from (
        select source_table, disposition from {{ ref('refused_rows') }}
        union all
        select source_table, disposition from {{ ref('unmatched_rows') }}
    ) as refusals
    group by source_table
),

equal_lines as (
    {# Money of several currencies is added in the reporting one, as stg_order_lines has it. #}
    select
        'order_lines' as source_table,
        count(*) as equal_lines,
        sum(
            case when rates.spelling is null then doubtful.amount else {{ converted('doubtful.amount', 'rates.rate') }} end
        ) as equal_lines_amount
    from {{ ref('doubtful_order_lines') }} as doubtful
    left join {{ ref('base_order_rates') }} as rates
        on coalesce(doubtful.currency, '') = rates.spelling and doubtful.ordered_on = rates.ordered_on
    where doubtful.is_equal_line
)

select
    cast(landed.source_table as string) as source_table,
    cast(landed.rows_landed as bigint) as rows_landed,
    cast(staged.rows_staged as bigint) as rows_staged,
    cast(coalesce(refused.rows_quarantined, 0) as bigint) as rows_quarantined,
    cast(coalesce(refused.rows_duplicate, 0) as bigint) as rows_duplicate,
    cast(coalesce(refused.rows_superseded, 0) as bigint) as rows_superseded,
    cast(coalesce(staged.rows_not_counted, 0) as bigint) as rows_not_counted,
    cast(coalesce(staged.rows_anonymous, 0) as bigint) as rows_anonymous,
    cast(coalesce(equal_lines.equal_lines, 0) as bigint) as equal_lines,
    cast(coalesce(equal_lines.equal_lines_amount, 0) as decimal(18, 4)) as equal_lines_amount
from landed
inner join staged on landed.source_table = staged.source_table
left join refused on landed.source_table = refused.source_table
left join equal_lines on landed.source_table = equal_lines.source_table
