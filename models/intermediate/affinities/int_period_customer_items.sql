{{ config(**kept('int_count_periods', 'period_on')) }}

{# What each customer bought in each period, at the levels of offers and sequences: baskets with the item, which add up over
   periods, and the last date. Baskets of nobody are left out. #}
{%- set levels = ([var('offer_level')] + var('sequence_levels')) | unique | list -%}

with {{ period_facts(levels) | trim }}

select
    facts.item_level,
    facts.customer_number,
    facts.item_key,
    count(*) as baskets,
    max(facts.bought_on) as last_bought_on,
    periods.made_from,
    periods.period_on
from facts
inner join periods on facts.period_on = periods.period_on
where facts.customer_number is not null
group by facts.item_level, facts.customer_number, facts.item_key, periods.made_from, periods.period_on
