{# Baskets with both of two departments or categories (item_a < item_b, in alphabetical order) before the as-of date, kept from
   min_pair_count on: added up over the periods of int_period_pairs. #}
with pairs as (

    select
        item_level,
        item_a,
        item_b,
        cast(sum(n_both) as bigint) as n_both
    from {{ ref('int_period_pairs') }}
    group by item_level, item_a, item_b
    having sum(n_both) >= {{ var('min_pair_count') }}

)

select
    pairs.item_level,
    least(first_items.item_number, second_items.item_number) as item_a,
    greatest(first_items.item_number, second_items.item_number) as item_b,
    pairs.n_both
from pairs
inner join {{ ref('int_affinity_items') }} as first_items on pairs.item_a = first_items.item_key
inner join {{ ref('int_affinity_items') }} as second_items on pairs.item_b = second_items.item_key
