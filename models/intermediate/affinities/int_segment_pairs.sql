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
        items.unit_number,
        items.item_number
    from {{ ref('int_unit_items') }} as items
    where
        items.item_level = 'category'
        and items.sales_window = 'basket'
        and (items.item_number in (select item_a from pairs) or items.item_number in (select item_b from pairs))

),

joint_baskets as (

    select
        pairs.pair_number,
        first_items.unit_number
    from items as first_items
    inner join items as second_items
        on
            first_items.unit_number = second_items.unit_number
            and first_items.item_number < second_items.item_number
    inner join pairs on first_items.item_number = pairs.item_a and second_items.item_number = pairs.item_b

),

customer_pairs as (

    select
        numbers.customer_number,
        joint_baskets.pair_number,
        count(*) as baskets
    from joint_baskets
    inner join {{ ref('int_basket_numbers') }} as numbers on joint_baskets.unit_number = numbers.basket_number
    group by numbers.customer_number, joint_baskets.pair_number

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
