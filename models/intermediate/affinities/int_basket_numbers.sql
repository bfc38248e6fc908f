{# A whole number for each basket, in alphabetical order, and for each customer: a hash, which does not change when others come
   (int_customers tests that no two share one). #}
select
    order_id,
    customer_id,
    basket_on,
    cast(row_number() over (order by customer_id, order_id) as bigint) as basket_number,
    {{ row_hash(['customer_id']) }} as customer_number
from {{ ref('int_baskets') }}
