{{ config(materialized='kept', by='period_on', inputs='int_customer_item_periods') }}

{# What each customer bought in each period, at the levels of sequences and the one of offers: baskets with the item, which add up over
   periods, and the last date. Baskets of nobody are left out. #}
{%- set levels = (offer_levels() + var('sequence_levels')) | unique | list -%}

with {{ period_facts(levels, 'int_customer_item_periods') | trim }},

levels as (

    {% for level in var('sequence_levels') %}
    select cast('{{ level }}' as string) as item_level
    union
    {% endfor %}
    select item_level
    from {{ ref('int_offer_level') }}

)

select
    facts.item_level,
    facts.customer_number,
    facts.item_key,
    count(*) as baskets,
    max(facts.bought_on) as last_bought_on,
    periods.period_on
from facts
inner join levels on facts.item_level = levels.item_level
inner join periods on facts.period_on = periods.period_on
where facts.customer_number is not null
group by facts.item_level, facts.customer_number, facts.item_key, periods.period_on
