{{ config(materialized='view') }}
{# The same facts with ids in place of numbers, for other models. #}
select
    numbers.order_id,
    numbers.customer_id,
    facts.item_level,
    items.item,
    facts.bought_on
from {{ ref('int_basket_item_numbers') }} as facts
inner join {{ ref('int_basket_numbers') }} as numbers on facts.basket_number = numbers.basket_number
inner join {{ ref('int_affinity_items') }} as items on facts.item_number = items.item_number
