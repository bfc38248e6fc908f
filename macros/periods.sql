{# Counts that add up are kept by period: a past year, or a month of the as-of date's year. A new day counts its month again,
   and few periods are added up. The last period is open, the ones before it are closed. #}

{# The first day of the period that a day is counted in. #}
{% macro count_period(day, as_of) -%}
    case
        when extract(year from {{ day }}) < extract(year from {{ as_of }}) then cast(date_trunc('year', {{ day }}) as date)
        else {{ month_start(day) }}
    end
{%- endmacro %}

{# The days whose lines make the baskets of `days`, a relation with day_on: the days themselves, and the others of every order
   over midnight that has lines on them. Baskets of those other days come out in part, and are to be left out. #}
{% macro days_of_whole_orders(days) -%}
select day_on from {{ days }}
union
select others.ordered_on as day_on
from {{ days }} as days
inner join {{ ref('int_long_orders') }} as touching on days.day_on = touching.ordered_on
inner join {{ ref('int_long_orders') }} as others
    on touching.basket_number = others.basket_number
{%- endmacro %}

{# The days before the as-of date, with the hash of their lines, and of what came back of their baskets, and their period: a
   select. #}
{% macro days_of_periods() -%}
select
    days.day_on,
    case
        when returned_days.day_on is null then days.made_from
        else {{ row_hash(['days.made_from', 'returned_days.baskets_hash']) }}
    end as made_from,
    {{ count_period('days.day_on', 'dates.as_of') }} as period_on
from {{ ref('int_order_days') }} as days
inner join {{ ref('int_as_of_dates') }} as dates on dates.is_current and days.day_on < dates.as_of
left join (
    {{ returned_days() | indent(4) }}
) as returned_days on days.day_on = returned_days.day_on
{%- endmacro %}

{# The items of baskets before the as-of date, with their period: a select without its `where`, which has to leave out those that
   came back, `returned.basket_number is null`. #}
{% macro dated_facts() -%}
select
    facts.item_level,
    facts.basket_number,
    facts.customer_number,
    facts.item_key,
    facts.bought_on,
    {{ count_period('facts.bought_on', 'dates.as_of') }} as period_on
from {{ ref('int_basket_item_numbers') }} as facts
inner join {{ ref('int_as_of_dates') }} as dates on dates.is_current and facts.bought_on < dates.as_of
{{ with_returned_baskets('facts', 'dates.as_of') }}
{%- endmacro %}

{# What baskets hold that reach into the days from first_days.first_day_on on (a common table expression of one row): the items
   bought since then, and before it those of orders over midnight. A select. #}
{% macro facts_since_first_day(levels) -%}
{{ dated_facts() }}
inner join first_days on facts.bought_on >= first_days.first_day_on
where returned.basket_number is null and facts.item_level in ('{{ levels | join("', '") }}')

union all

{{ dated_facts() }}
inner join first_days on facts.bought_on < first_days.first_day_on
inner join (
    select distinct basket_number
    from {{ ref('int_long_orders') }}
) as long_baskets on facts.basket_number = long_baskets.basket_number
where returned.basket_number is null and facts.item_level in ('{{ levels | join("', '") }}')
{%- endmacro %}

{# The items of baskets in unordered pairs, from `facts`, a common table expression: a from clause. #}
{% macro from_pairs_of_facts() -%}
from facts as first_items
inner join facts as second_items
    on
        first_items.basket_number = second_items.basket_number
        and first_items.item_key < second_items.item_key
{%- endmacro %}

{# Two common table expressions for a model that is kept by period (of `inputs`) and counts baskets: `periods` (period_on), those
   to make, and `facts`, the items that their baskets hold before the as-of date: those of the periods, and of orders over
   midnight the earlier ones too. A basket, like a pair in it, belongs to the period in which it was complete. #}
{% macro period_facts(levels, inputs='int_count_periods') %}
{#- Said here, so that dbt knows of it when it parses the project. -#}
{%- do ref('int_long_orders') -%}
{%- do ref('int_returned_baskets') -%}
periods as (

    select period_on from {{ missing(ref(inputs)) }}

),

{% if is_there_to_keep() %}
{# Before the first of the periods, only what an order over midnight held already. #}
first_days as (

    select min(period_on) as first_day_on
    from periods

),

facts as (

    {{ facts_since_first_day(levels) | indent(4) }}

)
{%- else %}
facts as (

    {{ dated_facts() | indent(4) }}
    where returned.basket_number is null and facts.item_level in ('{{ levels | join("', '") }}')

)
{%- endif %}
{%- endmacro %}
