{{ config(materialized='view') }}

select
    basket_number,
    order_id,
    customer_id,
    basket_on,
    {{ customer_number_or_null('customer_id') }} as customer_number
from {{ ref('int_baskets') }}
