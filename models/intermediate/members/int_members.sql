{{ config(materialized='view') }}

select
    dates.as_of,
    customers.customer_id,
    customers.kind
from {{ ref('int_customers') }} as customers
inner join {{ ref('int_as_of_dates') }} as dates
    on customers.is_profiled or customers.first_line_on < dates.as_of
