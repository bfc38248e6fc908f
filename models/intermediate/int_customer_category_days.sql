select
    customer_id,
    ordered_on as day_on,
    department,
    category,
    sum(amount) as spend
from {{ ref('int_order_lines') }}
where is_merchandise
group by customer_id, ordered_on, department, category
