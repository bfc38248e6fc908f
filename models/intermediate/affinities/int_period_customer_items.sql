{{ config(**kept('int_count_periods', 'period_on')) }}

{# What each customer bought in each period, at the levels of offers and sequences: baskets with the item, which add up over
   periods, and the last date. #}
{%- set levels = ([var('offer_level')] + var('sequence_levels')) | unique | list -%}

with periods as (

    {{ partitions_to_make('int_count_periods', 'period_on') | indent(4) }}

),

first_days as (

    select min(period_on) as first_day_on
    from periods

),

facts as (

    select
        facts.item_level,
        facts.customer_number,
        facts.item_key,
        facts.bought_on,
        {{ count_period('facts.bought_on', 'dates.as_of') }} as period_on
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join {{ ref('int_as_of_dates') }} as dates on dates.is_current and facts.bought_on < dates.as_of
    inner join first_days on facts.bought_on >= first_days.first_day_on
    where facts.item_level in ('{{ levels | join("', '") }}')

)

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
group by facts.item_level, facts.customer_number, facts.item_key, periods.made_from, periods.period_on
