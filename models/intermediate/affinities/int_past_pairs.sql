{{ config(materialized='kept', by='open_on', inputs='int_past_grid') }}

{# Baskets with both items of an unordered pair (item_a < item_b, by key) of the levels of affinity_grid that were complete before
   open_on. Most pairs of products are in one basket: by period, adding them up would take as long as counting them; of all past
   together, the pairs since then are looked up. #}
{%- set levels = grid_levels(var('affinity_levels')) -%}
{#- Counted a quarter at a time, the table of counts is a quarter as large. -#}
{%- set parts = 4 %}
with periods as (

    {# Its period is named here: what is added up is of earlier periods. #}
    select open_on from {{ missing(ref('int_past_grid')) }}

),

facts as {{ read_anew() }} (

    select
        facts.item_level,
        facts.basket_number,
        facts.item_key
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join periods on facts.bought_on < periods.open_on
    inner join {{ ref('int_affinity_grid') }} as grid on periods.open_on = grid.open_on
    {{ with_returned_baskets('facts', 'grid.grid_on') }}
    where returned.basket_number is null and facts.item_level in ('{{ (levels or ["none"]) | join("', '") }}')

),

pair_counts as (

    {% for level in levels or ['none'] %}
    {% set last_level = loop.last %}
    {% for part in range(parts) %}
    select
        '{{ level }}' as item_level,
        first_items.item_key as item_a,
        second_items.item_key as item_b,
        count(*) as n_both
    {{ from_pairs_of_facts() | indent(4) }}
    where
        first_items.item_level = '{{ level }}'
        and second_items.item_level = '{{ level }}'
        and abs(first_items.item_key % {{ parts }}) = {{ part }}
    group by first_items.item_key, second_items.item_key
    {{ 'union all' if not (loop.last and last_level) }}
    {% endfor %}
    {% endfor %}

)

select
    pair_counts.item_level,
    pair_counts.item_a,
    pair_counts.item_b,
    pair_counts.n_both,
    periods.open_on
from pair_counts
cross join periods
