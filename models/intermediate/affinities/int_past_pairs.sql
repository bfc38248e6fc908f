{{ config(**kept('int_closed_periods', 'open_on')) }}

{# Baskets with both products of an unordered pair (item_a < item_b, by key) that were complete in a closed period. Most pairs are
   in one basket: by period, adding them up would take as long as counting them; of closed periods together, a new day's pairs
   are looked up. #}
{%- set level = 'product' if 'product' in var('affinity_levels') else 'none' -%}
{#- Counted a quarter at a time, the table of counts is a quarter as large. -#}
{%- set parts = 4 %}
with periods as (

    {{ partitions_to_make('int_closed_periods', 'open_on') | indent(4) }}

),

facts as (

    select
        facts.basket_number,
        facts.item_key
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join periods on facts.bought_on < periods.open_on
    inner join {{ ref('int_as_of_dates') }} as dates on dates.is_current
    {{ with_returned_baskets('facts', 'dates.as_of') }}
    where returned.basket_number is null and facts.item_level = '{{ level }}'

),

pair_counts as (

    {% for part in range(parts) %}
    select
        first_items.item_key as item_a,
        second_items.item_key as item_b,
        count(*) as n_both
    {{ from_pairs_of_facts() | indent(4) }}
    where abs(first_items.item_key % {{ parts }}) = {{ part }}
    group by first_items.item_key, second_items.item_key
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    pair_counts.item_a,
    pair_counts.item_b,
    pair_counts.n_both,
    periods.made_from,
    periods.open_on
from pair_counts
cross join periods
