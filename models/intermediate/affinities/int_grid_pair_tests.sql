{{ config(materialized='kept', by='grid_on', inputs='int_affinity_grid') }}

{# As int_pair_tests, of the baskets of the levels of affinity_grid before its day; items by key. Six days of a week nothing is
   computed here. #}
with grid as (

    {# Its day is named here: what comes before the grid's day is of no date of its own. #}
    select grid_on from {{ missing(ref('int_affinity_grid')) }}

),

counted_pairs as (

    select
        pairs.item_level,
        'basket' as sales_window,
        pairs.item_a,
        pairs.item_b,
        pairs.n_both,
        pairs.n_both as n_reverse
    from {{ ref('int_grid_pairs') }} as pairs
    inner join grid on pairs.grid_on = grid.grid_on

),

totals as (

    select
        levels.item_level,
        'basket' as sales_window,
        count(*) as n_baskets
    from {{ ref('int_basket_numbers') }} as numbers
    inner join grid on numbers.basket_on < grid.grid_on
    cross join (select distinct item_level from counted_pairs) as levels
    {{ with_returned_baskets('numbers', 'grid.grid_on') }}
    where returned.basket_number is null
    group by levels.item_level

),

item_counts as (

    select counts.*
    from {{ ref('int_grid_item_counts') }} as counts
    inner join grid on counts.grid_on = grid.grid_on

),

{{ pair_tests('item_counts') | trim }}

select
    q_values.item_level,
    q_values.item_a,
    q_values.item_b,
    q_values.n_baskets,
    q_values.n_a,
    q_values.n_b,
    q_values.n_both,
    q_values.expected_both,
    q_values.season_both,
    q_values.neutral_both,
    q_values.p_value,
    q_values.q_value,
    grid.grid_on
from q_values
cross join grid
