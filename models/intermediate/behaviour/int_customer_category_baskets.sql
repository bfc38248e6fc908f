{{ config(materialized='in_parts', by='as_of', dates='int_category_dates', sized_by='int_customer_category_days') }}

with baskets as (

    select
        dates.as_of,
        facts.customer_number,
        facts.item_key,
        count(*) as baskets
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join {{ in_part(ref('int_category_dates')) }} as dates
        on facts.bought_on < dates.as_of and facts.bought_on >= dates.window_start_on
    {{ with_returned_baskets('facts', 'dates.as_of') }}
    where facts.item_level = 'category' and facts.customer_number is not null and returned.basket_number is null
    group by dates.as_of, facts.customer_number, facts.item_key

)

select
    baskets.as_of,
    customers.customer_id,
    items.item as category,
    baskets.baskets
from baskets
inner join {{ ref('int_customers') }} as customers on baskets.customer_number = customers.customer_number
inner join {{ ref('int_affinity_items') }} as items on baskets.item_key = items.item_key
