{{ config(materialized='view') }}
{# The same facts with ids in place of keys, for other models. #}
select
    numbers.order_id,
    numbers.customer_id,
    facts.item_level,
    items.item,
    facts.bought_on
from {{ ref('int_basket_item_numbers') }} as facts
inner join {{ ref('int_basket_numbers') }} as numbers on facts.basket_number = numbers.basket_number
inner join {{ ref('int_affinity_items') }} as items on facts.item_key = items.item_key
