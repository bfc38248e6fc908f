{{ config(**kept('int_affinity_grid', 'grid_on')) }}

{# As int_item_counts, of the baskets of the levels of affinity_grid before its day; item_number is the item's key, and 0 stands for
   baskets whatever they hold. Sizes are those that the baskets had on that day. #}
{%- set levels = grid_levels(var('affinity_levels')) -%}
with grid as (

    {{ partitions_to_make('int_affinity_grid', 'grid_on') | indent(4) }}

),

facts as (

    select
        facts.item_level,
        facts.basket_number,
        facts.item_key,
        facts.bought_on
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join grid on facts.bought_on < grid.grid_on
    {{ with_returned_baskets('facts', 'grid.grid_on') }}
    where returned.basket_number is null and facts.item_level in ('{{ (levels or ["none"]) | join("', '") }}')

),

sizes as (

    select
        item_level,
        basket_number,
        count(*) as size,
        cast(extract(month from min(bought_on)) as integer) as month
    from facts
    group by item_level, basket_number

),

counts as (

    select
        item_level,
        'basket' as sales_window,
        size,
        month,
        null as item_key,
        count(*) as units
    from sizes
    group by item_level, size, month

    {% for level in levels %}
    union all

    select
        '{{ level }}' as item_level,
        'basket' as sales_window,
        sizes.size,
        sizes.month,
        facts.item_key,
        count(*) as units
    from facts
    inner join sizes on facts.basket_number = sizes.basket_number
    where facts.item_level = '{{ level }}' and sizes.item_level = '{{ level }}'
    group by sizes.size, sizes.month, facts.item_key
    {% endfor %}

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
