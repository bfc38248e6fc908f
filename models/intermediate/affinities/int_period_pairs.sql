{{ config(materialized='kept', by='period_on', inputs='int_count_periods') }}

{# Baskets with both of two departments or categories (item_a < item_b, by key) by the period in which the pair was complete: counts
   that add up over periods. #}
{%- set levels = daily_levels(var('affinity_levels')) -%}

with {{ period_facts(levels or ['none']) | trim }},

pair_counts as (

    {% for level in levels or ['none'] %}
    select
        '{{ level }}' as item_level,
        greatest(first_items.period_on, second_items.period_on) as period_on,
        first_items.item_key as item_a,
        second_items.item_key as item_b,
        count(*) as n_both
    {{ from_pairs_of_facts() | indent(4) }}
    where first_items.item_level = '{{ level }}' and second_items.item_level = '{{ level }}'
    group by greatest(first_items.period_on, second_items.period_on), first_items.item_key, second_items.item_key
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    pair_counts.item_level,
    pair_counts.item_a,
    pair_counts.item_b,
    pair_counts.n_both,
    periods.period_on
from pair_counts
inner join periods on pair_counts.period_on = periods.period_on
