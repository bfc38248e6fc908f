{{ config(materialized='kept', by='grid_on', inputs='int_affinity_grid') }}

{# Baskets of each size, in distinct items of the level, and calendar month, in all (item_key is null) and with each item, of the
   levels of affinity_grid before its day. Sizes are those that the baskets had on that day. #}
{%- set levels = grid_levels(var('affinity_levels')) -%}
with grid as (

    {# Its day is named here: what comes before the grid's day is of no date of its own. #}
    select grid_on from {{ missing(ref('int_affinity_grid')) }}

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
        size,
        month,
        null as item_key,
        count(*) as baskets
    from sizes
    group by item_level, size, month

    {% for level in levels %}
    union all

    select
        '{{ level }}' as item_level,
        sizes.size,
        sizes.month,
        facts.item_key,
        count(*) as baskets
    from facts
    inner join sizes on facts.basket_number = sizes.basket_number
    where facts.item_level = '{{ level }}' and sizes.item_level = '{{ level }}'
    group by sizes.size, sizes.month, facts.item_key
    {% endfor %}

)

select
    counts.item_level,
    counts.size,
    counts.month,
    counts.item_key,
    counts.baskets,
    grid.grid_on
from counts
cross join grid
