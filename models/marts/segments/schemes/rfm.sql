{% macro scheme__rfm() %}{{ return(ref('rfm')) }}{% endmacro %}
{{ config(**kept('int_fact_dates', 'as_of')) }}

with dates as (

    {{ partitions_to_make('int_fact_dates', 'as_of') | indent(4) }}

)

select
    scores.as_of,
    'rfm' as scheme,
    scores.customer_id as member_id,
    coalesce(grid.segment, 'unknown') as segment,
    cast(null as {{ dbt.type_string() }}) as label,
    case when grid.segment is null then 'unknown' else 'observed' end as evidence,
    {{ json_object_text([
        ['recency_score', 'scores.recency_score', 'number'],
        ['frequency_score', 'scores.frequency_score', 'number'],
        ['monetary_score', 'scores.monetary_score', 'number'],
        ['recency_days', 'scores.recency_days', 'number'],
        ['frequency', 'scores.frequency', 'number'],
        ['monetary', 'scores.monetary', 'decimal'],
    ]) }} as reason,
    dates.made_from
from {{ ref('int_rfm_scores') }} as scores
inner join dates on scores.as_of = dates.as_of
left join {{ ref('rfm_grid') }} as grid
    on scores.recency_score = grid.recency_score and scores.frequency_score = grid.frequency_score
