{# A whole number for each basket and for each customer with a basket, in alphabetical order. #}
select
    order_id,
    customer_id,
    basket_on,
    cast(row_number() over (order by customer_id, order_id) as bigint) as basket_number,
    cast(dense_rank() over (order by customer_id) as bigint) as customer_number
from {{ ref('int_baskets') }}
