{# Baskets of each segment of each size, in distinct categories, and calendar month, in all (item_key is null) and with each
   category. #}
with facts as (

    select
        facts.basket_number,
        facts.customer_number,
        items.item_number,
        facts.bought_on
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join {{ ref('int_current_date') }} as dates on facts.bought_on < dates.as_of
    inner join {{ ref('int_affinity_items') }} as items on facts.item_key = items.item_key
    {{ with_returned_baskets('facts', 'dates.as_of') }}
    where facts.item_level = 'category' and facts.customer_number is not null and returned.basket_number is null

),

basket_customers as (

    select
        basket_number,
        customer_number,
        count(*) as size,
        cast(extract(month from min(bought_on)) as integer) as month
    from facts
    group by basket_number, customer_number

),

customer_facts as (

    select
        basket_customers.customer_number,
        basket_customers.size,
        basket_customers.month,
        facts.item_number as item_key,
        count(*) as baskets
    from basket_customers
    inner join facts on basket_customers.basket_number = facts.basket_number
    group by
        basket_customers.customer_number, basket_customers.size, basket_customers.month, facts.item_number

    union all

    select
        customer_number,
        size,
        month,
        null as item_key,
        count(*) as baskets
    from basket_customers
    group by customer_number, size, month

),

segment_facts as (

    select
        segments.segment_number,
        customer_facts.size,
        customer_facts.month,
        customer_facts.item_key,
        cast(sum(customer_facts.baskets) as bigint) as units
    from customer_facts
    inner join {{ ref('int_segment_customers') }} as segments
        on customer_facts.customer_number = segments.customer_number
    group by segments.segment_number, customer_facts.size, customer_facts.month, customer_facts.item_key

)

select
    segment_number,
    size,
    month,
    item_key,
    units
from segment_facts
