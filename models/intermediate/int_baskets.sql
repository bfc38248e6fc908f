select
    order_id,
    customer_id,
    min(ordered_on) as basket_on,
    min(ordered_at_local) as first_at_local,
    sum(amount) as positive_amount,
    count(*) as n_lines
from {{ ref('int_order_lines') }}
where is_merchandise and is_positive
group by order_id, customer_id
