{# Baskets of each segment with each category, in all and by size decile of the segment's own baskets; item_number 0: baskets
   of each size decile. #}
with basket_customers as (

    select
        numbers.customer_number,
        sizes.unit_number,
        sizes.size
    from {{ ref('int_unit_sizes') }} as sizes
    inner join {{ ref('int_basket_numbers') }} as numbers on sizes.unit_number = numbers.basket_number
    where sizes.item_level = 'category' and sizes.sales_window = 'basket'

),

customer_facts as (

    select
        basket_customers.customer_number,
        basket_customers.size,
        items.item_number,
        count(*) as baskets
    from basket_customers
    inner join {{ ref('int_unit_items') }} as items
        on
            items.item_level = 'category'
            and items.sales_window = 'basket'
            and basket_customers.unit_number = items.unit_number
    group by basket_customers.customer_number, basket_customers.size, items.item_number

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
