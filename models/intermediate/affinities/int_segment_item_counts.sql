{# Baskets of each segment with each category, in all and by size decile of the segment's own baskets; item_number 0: baskets
   of each size decile. #}
with facts as (

    select
        facts.basket_number,
        facts.customer_number,
        items.item_number
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join {{ ref('int_as_of_dates') }} as dates on dates.is_current and facts.bought_on < dates.as_of
    inner join {{ ref('int_affinity_items') }} as items on facts.item_key = items.item_key
    {{ with_returned_baskets('facts', 'dates.as_of') }}
    where facts.item_level = 'category' and facts.customer_number is not null and returned.basket_number is null

),

basket_customers as (

    select
        basket_number,
        customer_number,
        count(*) as size
    from facts
    group by basket_number, customer_number

),

customer_facts as (

    select
        basket_customers.customer_number,
        basket_customers.size,
        facts.item_number,
        count(*) as baskets
    from basket_customers
    inner join facts on basket_customers.basket_number = facts.basket_number
    group by basket_customers.customer_number, basket_customers.size, facts.item_number

    union all

    select
        customer_number,
        size,
        0 as item_number,
        count(*) as baskets
    from basket_customers
    group by customer_number, size

),

segment_facts as (

    select
        segments.segment_number,
        customer_facts.size,
        customer_facts.item_number,
        cast(sum(customer_facts.baskets) as bigint) as baskets
    from customer_facts
    inner join {{ ref('int_segment_customers') }} as segments
        on customer_facts.customer_number = segments.customer_number
    group by segments.segment_number, customer_facts.size, customer_facts.item_number

),

size_deciles as (

    select
        segment_number,
        size,
        {{ size_decile('baskets', 'segment_number', 'size') }} as decile
    from segment_facts
    where item_number = 0

),

placed_facts as (

    select
        segment_facts.segment_number,
        segment_facts.item_number,
        segment_facts.baskets,
        size_deciles.decile
    from segment_facts
    inner join size_deciles
        on segment_facts.segment_number = size_deciles.segment_number and segment_facts.size = size_deciles.size

)

select
    segment_number,
    item_number,
    cast(sum(baskets) as bigint) as n_units,
    {{ decile_columns('baskets') }}
from placed_facts
group by segment_number, item_number
