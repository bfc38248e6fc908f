{{ config(materialized='view') }}

{# The members who ordered anything before each as-of date: the only ones of whom behaviour says something. #}
select
    dates.as_of,
    customers.customer_id,
    customers.kind
from {{ ref('int_customers') }} as customers
inner join {{ ref('int_as_of_dates') }} as dates on customers.first_line_on < dates.as_of
