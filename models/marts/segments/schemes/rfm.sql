{% macro scheme__rfm() %}{{ return(ref('rfm')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_fact_dates') }}

{# A row of the grid for the member's own first basket comes before the row for any. #}
with places as (

    select
        scores.as_of,
        scores.customer_id,
        scores.first_basket_on,
        scores.recency_score,
        scores.frequency_score,
        scores.monetary_score,
        scores.recency_days,
        scores.frequency,
        scores.monetary,
        coalesce(own_cells.segment, cells.segment) as segment
    from {{ ref('int_rfm_scores') }} as scores
    left join {{ ref('rfm_grid') }} as own_cells
        on
            scores.recency_score = own_cells.recency_score
            and scores.frequency_score = own_cells.frequency_score
            and scores.first_basket = own_cells.first_basket
    left join {{ ref('rfm_grid') }} as cells
        on
            scores.recency_score = cells.recency_score
            and scores.frequency_score = cells.frequency_score
            and cells.first_basket = 'any'

)

select
    as_of,
    'rfm' as scheme,
    customer_id as member_id,
    coalesce(segment, 'unknown') as segment,
    cast(null as string) as label,
    case when segment is null then 'unknown' else 'observed' end as evidence,
    {{ json_object_text([
        ['recency_score', 'recency_score', 'number'],
        ['frequency_score', 'frequency_score', 'number'],
        ['monetary_score', 'monetary_score', 'number'],
        ['recency_days', 'recency_days', 'number'],
        ['frequency', 'frequency', 'number'],
        ['monetary', 'monetary', 'decimal'],
        ['first_basket_on', 'first_basket_on', 'text'],
    ]) }} as reason
from places
