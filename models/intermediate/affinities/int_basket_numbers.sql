{{ config(materialized='view') }}

select
    order_id,
    customer_id,
    basket_on,
    {{ basket_number('order_id', 'customer_id') }} as basket_number,
    {{ customer_number('customer_id') }} as customer_number
from {{ ref('int_baskets') }}
