{# Baskets with both items of an unordered pair (item_a < item_b, in alphabetical order) before the as-of date, kept from
   min_pair_count on: added up over the periods of int_period_pairs; of products, what closed periods had and the last one has. #}
{%- set level = 'product' if 'product' in var('affinity_levels') else 'none' %}
with first_days as (

    select open_on as first_day_on
    from {{ ref('int_closed_periods') }}

),

facts as (

    {{ facts_since_first_day([level]) | indent(4) }}

),

open_product_pairs as (

    select
        first_items.item_key as item_a,
        second_items.item_key as item_b,
        count(*) as n_both
    {{ from_pairs_of_facts() | indent(4) }}
    inner join first_days on greatest(first_items.bought_on, second_items.bought_on) >= first_days.first_day_on
    group by first_items.item_key, second_items.item_key

),

pairs as (

    select
        item_level,
        item_a,
        item_b,
        cast(sum(n_both) as bigint) as n_both
    from {{ ref('int_period_pairs') }}
    group by item_level, item_a, item_b
    having sum(n_both) >= {{ var('min_pair_count') }}

    union all

    select
        'product' as item_level,
        coalesce(past_pairs.item_a, open_pairs.item_a) as item_a,
        coalesce(past_pairs.item_b, open_pairs.item_b) as item_b,
        coalesce(past_pairs.n_both, 0) + coalesce(open_pairs.n_both, 0) as n_both
    from {{ ref('int_past_pairs') }} as past_pairs
    full outer join open_product_pairs as open_pairs
        on past_pairs.item_a = open_pairs.item_a and past_pairs.item_b = open_pairs.item_b
    where coalesce(past_pairs.n_both, 0) + coalesce(open_pairs.n_both, 0) >= {{ var('min_pair_count') }}

)

select
    pairs.item_level,
    least(first_items.item_number, second_items.item_number) as item_a,
    greatest(first_items.item_number, second_items.item_number) as item_b,
    pairs.n_both
from pairs
inner join {{ ref('int_affinity_items') }} as first_items on pairs.item_a = first_items.item_key
inner join {{ ref('int_affinity_items') }} as second_items on pairs.item_b = second_items.item_key
