{# Baskets of each segment with both categories of a pair, among the segment_affinity_pairs pairs that have most baskets beyond
   what sizes lead to expect. Counted by customer first: a customer is in many schemes, a basket is counted once. #}
with ranked_pairs as (

    select
        item_a,
        item_b,
        n_both / nullif(expected_both, 0e0) as global_lift,
        row_number() over (order by n_both - expected_both desc, item_a asc, item_b asc) as excess_rank
    from {{ ref('int_pair_tests') }}
    where item_level = 'category' and sales_window = 'basket'

),

pairs as (

    select
        cast(excess_rank as integer) as pair_number,
        item_a,
        item_b,
        global_lift
    from ranked_pairs
    where excess_rank <= {{ var('segment_affinity_pairs') }}

),

items as (

    select
        facts.basket_number,
        facts.customer_number,
        paired_items.item_number
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join {{ ref('int_current_date') }} as dates on facts.bought_on < dates.as_of
    inner join {{ ref('int_affinity_items') }} as paired_items on facts.item_key = paired_items.item_key
    {{ with_returned_baskets('facts', 'dates.as_of') }}
    where
        facts.item_level = 'category'
        and facts.customer_number is not null
        and returned.basket_number is null
        and (
            paired_items.item_number in (select item_a from pairs)
            or paired_items.item_number in (select item_b from pairs)
        )

),

customer_pairs as (

    select
        first_items.customer_number,
        pairs.pair_number,
        count(*) as baskets
    from items as first_items
    inner join items as second_items
        on
            first_items.basket_number = second_items.basket_number
            and first_items.item_number < second_items.item_number
    inner join pairs on first_items.item_number = pairs.item_a and second_items.item_number = pairs.item_b
    group by first_items.customer_number, pairs.pair_number

),

segment_pairs as (

    select
        segments.segment_number,
        customer_pairs.pair_number,
        cast(sum(customer_pairs.baskets) as bigint) as n_both
    from customer_pairs
    inner join {{ ref('int_segment_customers') }} as segments
        on customer_pairs.customer_number = segments.customer_number
    group by segments.segment_number, customer_pairs.pair_number
    having sum(customer_pairs.baskets) >= {{ var('min_pair_count') }}

)

select
    segment_pairs.segment_number,
    pairs.item_a,
    pairs.item_b,
    segment_pairs.n_both,
    pairs.global_lift
from segment_pairs
inner join pairs on segment_pairs.pair_number = pairs.pair_number
