{{ config(materialized='kept', by='grid_on', inputs='int_affinity_grid') }}

{# Baskets with both items of an unordered pair (item_a < item_b, by key) of the levels of affinity_grid, before its day, kept from
   min_pair_count on: those of int_past_pairs, and those complete since then. #}
{%- set levels = grid_levels(var('affinity_levels')) or ['none'] %}
with open_days as (

    {# Its day is named here: what comes before the grid's day is of no date of its own. #}
    select
        grid_on,
        open_on
    from {{ missing(ref('int_affinity_grid')) }}

),

{# Before open_on, only what an order over midnight held already. #}
facts as (

    select
        facts.item_level,
        facts.basket_number,
        facts.item_key,
        facts.bought_on
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join open_days on facts.bought_on >= open_days.open_on and facts.bought_on < open_days.grid_on
    {{ with_returned_baskets('facts', 'open_days.grid_on') }}
    where returned.basket_number is null and facts.item_level in ('{{ levels | join("', '") }}')

    union all

    select
        facts.item_level,
        facts.basket_number,
        facts.item_key,
        facts.bought_on
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join open_days on facts.bought_on < open_days.open_on
    inner join (
        select distinct basket_number
        from {{ ref('int_long_orders') }}
    ) as long_baskets on facts.basket_number = long_baskets.basket_number
    {{ with_returned_baskets('facts', 'open_days.grid_on') }}
    where returned.basket_number is null and facts.item_level in ('{{ levels | join("', '") }}')

),

open_pairs as (

    {% for level in levels %}
    select
        '{{ level }}' as item_level,
        first_items.item_key as item_a,
        second_items.item_key as item_b,
        count(*) as n_both
    {{ from_pairs_of_facts() | indent(4) }}
    inner join open_days on greatest(first_items.bought_on, second_items.bought_on) >= open_days.open_on
    where first_items.item_level = '{{ level }}' and second_items.item_level = '{{ level }}'
    group by first_items.item_key, second_items.item_key
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

past_pairs as (

    select
        past_pairs.item_level,
        past_pairs.item_a,
        past_pairs.item_b,
        past_pairs.n_both
    from {{ ref('int_past_pairs') }} as past_pairs
    inner join open_days on past_pairs.open_on = open_days.open_on

),

pairs as (

    select
        coalesce(past_pairs.item_level, open_pairs.item_level) as item_level,
        coalesce(past_pairs.item_a, open_pairs.item_a) as item_a,
        coalesce(past_pairs.item_b, open_pairs.item_b) as item_b,
        coalesce(past_pairs.n_both, 0) + coalesce(open_pairs.n_both, 0) as n_both
    from past_pairs
    full outer join open_pairs
        on
            past_pairs.item_a = open_pairs.item_a
            and past_pairs.item_b = open_pairs.item_b
            and past_pairs.item_level = open_pairs.item_level
    where coalesce(past_pairs.n_both, 0) + coalesce(open_pairs.n_both, 0) >= {{ var('min_pair_count') }}

)

select
    pairs.item_level,
    pairs.item_a,
    pairs.item_b,
    pairs.n_both,
    open_days.grid_on
from pairs
cross join open_days
