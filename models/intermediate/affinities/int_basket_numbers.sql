{# A whole number for each basket, in alphabetical order, and the number of its customer. #}
select
    order_id,
    customer_id,
    basket_on,
    cast(row_number() over (order by customer_id, order_id) as bigint) as basket_number,
    {{ customer_number('customer_id') }} as customer_number
from {{ ref('int_baskets') }}
