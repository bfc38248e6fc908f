{{ config(tags=['reads_today']) }}

{# What each customer spent on each item of the offer level in the behaviour window, and in how many baskets: a return lowers spend
   and makes no basket. #}

with dates as (

    select
        facts.as_of,
        facts.window_start_on
    from {{ ref('int_fact_dates') }} as facts
    inner join {{ ref('int_current_date') }} as dates on facts.as_of = dates.as_of

),

{%- set summed_levels = offer_levels() | select('in', ['department', 'category']) | list -%}
{%- set other_levels = offer_levels() | reject('in', ['department', 'category']) | list %}

offer_levels as (

    select item_level
    from {{ ref('int_offer_level') }}

),

amounts as (

    {% if summed_levels -%}
    {# Added up by customer and category already. #}
    select
        categories.customer_id,
        offer_levels.item_level,
        {{ item_of_level('offer_levels.item_level', 'categories', summed_levels) | indent(8) }} as item,
        categories.spend as amount
    from {{ ref('int_customer_categories') }} as categories
    inner join dates on categories.as_of = dates.as_of
    inner join offer_levels on offer_levels.item_level in ('{{ summed_levels | join("', '") }}')
    {{ 'union all' if other_levels }}
    {%- endif %}
    {% if other_levels -%}
    select
        order_lines.customer_id,
        offer_levels.item_level,
        {{ item_of_level('offer_levels.item_level', 'order_lines', other_levels) | indent(8) }} as item,
        order_lines.amount
    from {{ ref('int_order_lines') }} as order_lines
    inner join dates on order_lines.ordered_on < dates.as_of and order_lines.ordered_on >= dates.window_start_on
    inner join offer_levels on offer_levels.item_level in ('{{ other_levels | join("', '") }}')
    where order_lines.is_merchandise
    {%- endif %}

),

spends as (

    select
        customers.customer_number,
        items.item_number,
        sum(amounts.amount) as spend
    from amounts
    inner join {{ ref('int_customers') }} as customers on amounts.customer_id = customers.customer_id
    inner join {{ ref('int_affinity_items') }} as items
        on amounts.item_level = items.item_level and amounts.item = items.item
    group by customers.customer_number, items.item_number

),

baskets as (

    select
        facts.customer_number,
        items.item_number,
        count(*) as baskets
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join dates on facts.bought_on < dates.as_of and facts.bought_on >= dates.window_start_on
    inner join offer_levels on facts.item_level = offer_levels.item_level
    inner join {{ ref('int_affinity_items') }} as items on facts.item_key = items.item_key
    {{ with_returned_baskets('facts', 'dates.as_of') }}
    where facts.customer_number is not null and returned.basket_number is null
    group by facts.customer_number, items.item_number

)

select
    spends.customer_number,
    spends.item_number,
    spends.spend,
    coalesce(baskets.baskets, 0) as baskets
from spends
left join baskets
    on spends.customer_number = baskets.customer_number and spends.item_number = baskets.item_number
