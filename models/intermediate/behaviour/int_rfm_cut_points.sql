{# Scores are places among customers, so a segment of the grid means other days and baskets in every shop: what it means here
   today, a sentence a segment. The days and baskets are those of the scores that the segment takes, by all customers who
   have them, so that two segments with the same score say the same of it. #}
with scores as (

    select
        scores.kind,
        scores.recency_score,
        scores.frequency_score,
        scores.recency_days,
        scores.frequency
    from {{ ref('int_rfm_scores') }} as scores
    inner join {{ ref('int_current_date') }} as dates on scores.as_of = dates.as_of
    where scores.recency_score is not null

),

cells as (

    select
        segment,
        recency_score,
        frequency_score,
        first_basket
    from {{ ref('rfm_grid') }}
    where segment <> 'unknown'

),

kinds as (

    select
        kind,
        max(case when frequency = 0 then 1 else 0 end) as has_past_buyers
    from scores
    group by kind

),

recency_levels as (

    select
        kind,
        recency_score,
        min(recency_days) as least,
        max(recency_days) as most
    from scores
    where frequency > 0
    group by kind, recency_score

),

frequency_levels as (

    select
        kind,
        frequency_score,
        min(frequency) as least,
        max(frequency) as most
    from scores
    where frequency > 0
    group by kind, frequency_score

),

recency_ranges as (

    select
        cells.segment,
        levels.kind,
        min(levels.least) as least,
        max(levels.most) as most
    from cells
    inner join recency_levels as levels on cells.recency_score = levels.recency_score
    group by cells.segment, levels.kind

),

frequency_ranges as (

    select
        cells.segment,
        levels.kind,
        min(levels.least) as least,
        max(levels.most) as most
    from cells
    inner join frequency_levels as levels on cells.frequency_score = levels.frequency_score
    group by cells.segment, levels.kind

),

{# Who bought before the window only has scores 1 and 1; as in rfm, a row for such first baskets comes before the row for any. #}
past_buyers as (

    select
        coalesce(
            max(case when first_basket = 'before_window' then segment end),
            max(case when first_basket = 'any' then segment end)
        ) as segment
    from {{ ref('rfm_grid') }}
    where recency_score = 1 and frequency_score = 1

),

segments as (

    select
        cells.segment,
        max(case when past_buyers.segment is not null then 1 else 0 end) as takes_past_buyers,
        min(case when cells.first_basket = 'before_window' then 1 else 0 end) as is_of_earlier_customers
    from cells
    left join past_buyers on cells.segment = past_buyers.segment
    group by cells.segment

),

phrases as (

    select
        segments.segment,
        kinds.kind,
        case
            when recency_ranges.kind is not null and frequency_ranges.kind is not null
                then
                    'last bought ' || {{ counted_range('recency_ranges.least', 'recency_ranges.most', 'day') }}
                    || ' ago, in ' || {{ counted_range('frequency_ranges.least', 'frequency_ranges.most', 'basket') }}
                    || ' of the last {{ behaviour_window_days() }} days'
                    || case
                        when segments.is_of_earlier_customers = 1 then ', and for the first time before them'
                        else ''
                    end
                    || case
                        when segments.takes_past_buyers = 1 and kinds.has_past_buyers = 1 then ', or before them only'
                        else ''
                    end
            when segments.takes_past_buyers = 1 and kinds.has_past_buyers = 1
                then 'last bought more than {{ behaviour_window_days() }} days ago'
            else 'nobody'
        end as phrase,
        count(*) over (partition by segments.segment) as kinds
    from segments
    cross join kinds
    left join recency_ranges on segments.segment = recency_ranges.segment and kinds.kind = recency_ranges.kind
    left join frequency_ranges on segments.segment = frequency_ranges.segment and kinds.kind = frequency_ranges.kind

),

named_phrases as (

    select
        segment,
        case
            when kinds = 1 and phrase = 'nobody' then 'nobody has such scores'
            when kinds = 1 then phrase
            when kind = 'company' then 'companies ' || phrase
            else 'persons ' || phrase
        end as phrase
    from phrases

)

select
    'rfm' as scheme,
    segment,
    'Today: ' || {{ sorted_list('phrase', '; ') }} || '.' as cut_points
from named_phrases
group by segment
