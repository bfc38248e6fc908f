with bought as (

    select
        customer_items.customer_id,
        numbers.item_number,
        customer_items.weight
    from {{ ref('int_customer_items') }} as customer_items
    inner join {{ ref('int_item_numbers') }} as numbers on customer_items.item = numbers.item

),

scored_items as (

    select
        bought.customer_id,
        similarities.other_item_number as item_number,
        sum(bought.weight * similarities.similarity) as score,
        {# The item that speaks most for it, ties to the first in the alphabet, in one number: contribution, then number. #}
        max(bought.weight * similarities.similarity * 10000000 + (9999999 - bought.item_number)) as strongest
    from bought
    inner join {{ ref('int_item_similarities') }} as similarities on bought.item_number = similarities.item_number
    group by bought.customer_id, similarities.other_item_number

),

ranked_items as (

    select
        scored_items.customer_id,
        scored_items.item_number,
        scored_items.score,
        9999999 - scored_items.strongest % 10000000 as because_item_number,
        row_number() over (
            partition by scored_items.customer_id order by scored_items.score desc, scored_items.item_number asc
        ) as offer_rank
    from scored_items
    left join bought
        on scored_items.customer_id = bought.customer_id and scored_items.item_number = bought.item_number
    where bought.item_number is null

)

select
    ranked_items.customer_id,
    cast(ranked_items.offer_rank as integer) as offer_rank,
    '{{ var("offer_level") }}' as item_level,
    items.item,
    cast(ranked_items.score as double) / 1e9 as score,
    because_items.item as because_item,
    reasons.last_bought_on as because_last_bought_on,
    cast(reasons.baskets as bigint) as because_times_bought
from ranked_items
inner join {{ ref('int_item_numbers') }} as items on ranked_items.item_number = items.item_number
inner join {{ ref('int_item_numbers') }} as because_items
    on ranked_items.because_item_number = because_items.item_number
inner join {{ ref('int_customer_items') }} as reasons
    on ranked_items.customer_id = reasons.customer_id and because_items.item = reasons.item
where ranked_items.offer_rank <= {{ var('offers_per_customer') }}
