{% macro scheme__rfm() %}{{ return(ref('rfm')) }}{% endmacro %}

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
    ]) }} as reason
from {{ ref('int_rfm_scores') }} as scores
left join {{ ref('rfm_grid') }} as grid
    on scores.recency_score = grid.recency_score and scores.frequency_score = grid.frequency_score
