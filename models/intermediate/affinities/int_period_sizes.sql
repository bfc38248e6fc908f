{{ config(materialized='kept', by='period_on', inputs='int_count_periods') }}

{# Baskets of each size, in distinct departments or categories, by the period in which they were complete
   and the calendar month in which they began: in all (item_key is null),
   and with each item. Counts that add up over periods. #}
{%- set levels = daily_levels(var('affinity_levels')) -%}

with {{ period_facts(levels or ['none']) | trim }},

sizes as (

    select
        item_level,
        basket_number,
        count(*) as size,
        max(period_on) as period_on,
        cast(extract(month from min(bought_on)) as integer) as month
    from facts
    group by item_level, basket_number

),

counts as (

    select
        period_on,
        item_level,
        size,
        month,
        null as item_key,
        count(*) as baskets
    from sizes
    group by period_on, item_level, size, month

    {% for level in levels %}
    union all

    select
        sizes.period_on,
        '{{ level }}' as item_level,
        sizes.size,
        sizes.month,
        facts.item_key,
        count(*) as baskets
    from facts
    inner join sizes on facts.basket_number = sizes.basket_number
    where facts.item_level = '{{ level }}' and sizes.item_level = '{{ level }}'
    group by sizes.period_on, sizes.size, sizes.month, facts.item_key
    {% endfor %}

)

select
    counts.item_level,
    counts.size,
    counts.month,
    counts.item_key,
    counts.baskets,
    periods.period_on
from counts
inner join periods on counts.period_on = periods.period_on
