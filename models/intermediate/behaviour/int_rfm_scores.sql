{{ config(materialized='kept', by='as_of', inputs='int_fact_dates') }}

{# Scores 1 to 5 by place among customers of the same kind with a basket in the window: 1 + floor(5 x (place - 1/2) / all),
   place 1 for the worst. Equals share a place: the best of theirs for recency, because yesterday is yesterday however many
   bought then; the middle one for frequency and money, so that a crowd of equals stands in the middle and not at the end.
   One basket in the window is always frequency score 1. Bought before the window only: 1, 1, 1. Never bought: null.
   Whole numbers throughout: twice the place less one, over twice the customers. #}
with dates as (

    {# Its dates are named here: no filter from outside reaches what is read twice. #}
    select
        as_of,
        window_start_on
    from {{ missing(ref('int_fact_dates')) }}

),

features as (

    select
        features.as_of,
        features.customer_id,
        features.kind,
        features.first_basket_on,
        case
            when features.first_basket_on >= dates.window_start_on then 'in_window'
            when features.first_basket_on < dates.window_start_on then 'before_window'
        end as first_basket,
        features.recency_days,
        features.frequency,
        features.monetary
    from {{ ref('int_buyer_features') }} as features
    inner join dates on features.as_of = dates.as_of

),

{# `last_…`: the place of the last of the equals, `first_…` that of the first. #}
active_places as (

    select
        as_of,
        customer_id,
        frequency,
        count(*) over (partition by as_of, kind) as customers,
        count(*) over (
            partition by as_of, kind order by recency_days desc
            range between unbounded preceding and current row
        ) as last_by_recency,
        rank() over (partition by as_of, kind order by frequency asc) as first_by_frequency,
        count(*) over (
            partition by as_of, kind order by frequency asc
            range between unbounded preceding and current row
        ) as last_by_frequency,
        rank() over (partition by as_of, kind order by monetary asc) as first_by_money,
        count(*) over (
            partition by as_of, kind order by monetary asc
            range between unbounded preceding and current row
        ) as last_by_money
    from features
    where frequency > 0

),

active_scores as (

    select
        as_of,
        customer_id,
        1 + {{ whole_quotient('5 * (2 * last_by_recency - 1)', '2 * customers') }} as recency_score,
        case
            when frequency = 1 then 1
            else 1 + {{ whole_quotient('5 * (first_by_frequency + last_by_frequency - 1)', '2 * customers') }}
        end as frequency_score,
        1 + {{ whole_quotient('5 * (first_by_money + last_by_money - 1)', '2 * customers') }} as monetary_score
    from active_places

)

select
    features.as_of,
    features.customer_id,
    features.kind,
    features.first_basket_on,
    features.first_basket,
    features.recency_days,
    features.frequency,
    features.monetary,
    cast(
        coalesce(active_scores.recency_score, case when features.first_basket_on is not null then 1 end) as integer
    ) as recency_score,
    cast(
        coalesce(active_scores.frequency_score, case when features.first_basket_on is not null then 1 end) as integer
    ) as frequency_score,
    cast(
        coalesce(active_scores.monetary_score, case when features.first_basket_on is not null then 1 end) as integer
    ) as monetary_score
from features
left join active_scores
    on features.as_of = active_scores.as_of and features.customer_id = active_scores.customer_id
