{{ config(**kept('int_affinity_grid', 'grid_on')) }}

{# As int_item_counts, of the baskets of the levels of affinity_grid before its day; item_number is the item's key, and 0 stands for
   baskets whatever they hold. #}
with grid as (

    {{ partitions_to_make('int_affinity_grid', 'grid_on') | indent(4) }}

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
    grid.made_from,
    grid.grid_on
from item_counts
cross join grid
