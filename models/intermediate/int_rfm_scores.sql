{{ config(**kept('int_fact_dates', 'as_of')) }}

{# Scores 1 to 5 by rank among customers of the same kind with a basket in the window: 1 + floor(5 x worse / all).
   Equal customers get equal scores. Bought before the window only: 1, 1, 1. Never bought: null. #}
with dates as (

    {{ partitions_to_make('int_fact_dates', 'as_of') | indent(4) }}

),

features as (

    select
        features.as_of,
        features.customer_id,
        features.kind,
        features.first_basket_on,
        features.recency_days,
        features.frequency,
        features.monetary,
        dates.made_from
    from {{ ref('int_buyer_features') }} as features
    inner join dates on features.as_of = dates.as_of

),

active_ranks as (

    select
        as_of,
        customer_id,
        rank() over (partition by as_of, kind order by recency_days desc) - 1 as less_recent,
        rank() over (partition by as_of, kind order by frequency asc) - 1 as less_frequent,
        rank() over (partition by as_of, kind order by monetary asc) - 1 as less_spending,
        count(*) over (partition by as_of, kind) as customers
    from features
    where frequency > 0

)

select
    features.as_of,
    features.customer_id,
    features.recency_days,
    features.frequency,
    features.monetary,
    case
        when active_ranks.customer_id is not null
            then 1 + cast(floor(5e0 * active_ranks.less_recent / active_ranks.customers) as integer)
        when features.first_basket_on is not null then 1
    end as recency_score,
    case
        when active_ranks.customer_id is not null
            then 1 + cast(floor(5e0 * active_ranks.less_frequent / active_ranks.customers) as integer)
        when features.first_basket_on is not null then 1
    end as frequency_score,
    case
        when active_ranks.customer_id is not null
            then 1 + cast(floor(5e0 * active_ranks.less_spending / active_ranks.customers) as integer)
        when features.first_basket_on is not null then 1
    end as monetary_score,
    features.made_from
from features
left join active_ranks
    on features.as_of = active_ranks.as_of and features.customer_id = active_ranks.customer_id
