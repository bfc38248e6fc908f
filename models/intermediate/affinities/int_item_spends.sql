{{ config(tags=['reads_today']) }}

{# What each customer spent on each item of the offer level in the RFM window, and in how many baskets: a return lowers spend
   and makes no basket. #}

with dates as (

    select
        as_of,
        {{ days_after('as_of', -(var('rfm_window_days') | int)) }} as window_start
    from {{ ref('int_as_of_dates') }}
    where is_current

),

amounts as (

    {% if var('offer_level') in ('department', 'category') -%}
    {# Added up by customer and category already. #}
    select
        categories.customer_id,
        categories.{{ item_column(var('offer_level')) }} as item,
        categories.spend as amount
    from {{ ref('int_customer_categories') }} as categories
    inner join dates on categories.as_of = dates.as_of
    {%- else -%}
    select
        order_lines.customer_id,
        order_lines.{{ item_column(var('offer_level')) }} as item,
        order_lines.amount
    from {{ ref('int_order_lines') }} as order_lines
    inner join dates on order_lines.ordered_on < dates.as_of and order_lines.ordered_on >= dates.window_start
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
        on items.item_level = '{{ var("offer_level") }}' and amounts.item = items.item
    group by customers.customer_number, items.item_number

),

baskets as (

    select
        facts.customer_number,
        items.item_number,
        count(*) as baskets
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join dates on facts.bought_on < dates.as_of and facts.bought_on >= dates.window_start
    inner join {{ ref('int_affinity_items') }} as items on facts.item_key = items.item_key
    {{ with_returned_baskets('facts', 'dates.as_of') }}
    where
        facts.item_level = '{{ var("offer_level") }}'
        and facts.customer_number is not null
        and returned.basket_number is null
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
