{# Cosine of two items' columns of customer weights, both directions, in whole millionths. Source: Sarwar, Karypis,
   Konstan & Riedl (2001), item-based collaborative filtering. #}
with customer_items as (

    select
        customer_items.customer_id,
        numbers.item_number,
        customer_items.weight
    from {{ ref('int_customer_items') }} as customer_items
    inner join {{ ref('int_item_numbers') }} as numbers on customer_items.item = numbers.item

),

lengths as (

    select
        item_number,
        sqrt(cast(sum(weight * weight) as double)) as length
    from customer_items
    group by item_number

),

products as (

    select
        own.item_number,
        other.item_number as other_item_number,
        cast(sum(own.weight * other.weight) as double) as product
    from customer_items as own
    inner join customer_items as other
        on own.customer_id = other.customer_id and own.item_number < other.item_number
    group by own.item_number, other.item_number

),

similarities as (

    select
        products.item_number,
        products.other_item_number,
        cast(round(1000000e0 * products.product / (own_lengths.length * other_lengths.length)) as bigint) as similarity
    from products
    inner join lengths as own_lengths on products.item_number = own_lengths.item_number
    inner join lengths as other_lengths on products.other_item_number = other_lengths.item_number

)

select item_number, other_item_number, similarity
from similarities
union all
select other_item_number as item_number, item_number as other_item_number, similarity
from similarities
