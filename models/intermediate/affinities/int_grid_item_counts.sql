{{ config(materialized='kept', by='grid_on', inputs='int_affinity_grid') }}

{# As int_item_counts, of the baskets of the levels of affinity_grid before its day; item_number is the item's key, and 0 stands for
   baskets whatever they hold. #}
with grid as (

    {# Its day is named here: what comes before the grid's day is of no date of its own. #}
    select grid_on from {{ missing(ref('int_affinity_grid')) }}

),

counts as (

    select
        sizes.item_level,
        'basket' as sales_window,
        sizes.size,
        sizes.month,
        sizes.item_key,
        sizes.baskets as units
    from {{ ref('int_grid_sizes') }} as sizes
    inner join grid on sizes.grid_on = grid.grid_on

),

{{ item_counts_by_decile('counts', ['item_level', 'sales_window']) | trim }}

select
    item_counts.item_level,
    item_counts.sales_window,
    coalesce(item_counts.item_key, 0) as item_number,
    item_counts.n_units,
    {% for decile in range(1, 11) -%}
    item_counts.n_{{ decile }},
    {% endfor -%}
    item_counts.season_counts,
    item_counts.season_rates,
    item_counts.season_neutrals,
    grid.grid_on
from item_counts
cross join grid
