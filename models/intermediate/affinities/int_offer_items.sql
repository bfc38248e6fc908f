{# The items that can be offered, those with most customers, numbered from 1 without gaps, in alphabetical order; with the
   share of customers who ever bought them, in whole billionths, and their department: that of most of their baskets. #}
{%- set item_columns = {
    'department': 'department', 'category': 'category', 'subcategory': 'subcategory', 'product': 'product_id'
} -%}

with item_customers as (

    select
        item_number,
        count(*) as customers
    from {{ ref('int_customer_items') }}
    group by item_number

),

buyers as (

    select count(distinct customer_number) as customers
    from {{ ref('int_customer_items') }}

),

ranked_items as (

    select
        item_number,
        customers,
        row_number() over (order by customers desc, item_number asc) as customers_rank
    from item_customers

),

department_lines as (

    select
        {{ item_columns[var('offer_level')] }} as item,
        department,
        count(*) as n_lines
    from {{ ref('int_order_lines') }}
    where is_merchandise and is_positive and department is not null
    group by {{ item_columns[var('offer_level')] }}, department

),

departments as (

    select
        item,
        department,
        row_number() over (partition by item order by n_lines desc, department asc) as department_rank
    from department_lines
    where item is not null

)

select
    ranked_items.item_number,
    cast(row_number() over (order by ranked_items.item_number) as bigint) as position,
    items.item,
    {# An item of no known department is a department of its own, so that the limit on departments leaves it alone. #}
    coalesce(departments.department, 'item ' || items.item) as department,
    ranked_items.customers,
    cast(round(1000000000e0 * ranked_items.customers / buyers.customers) as bigint) as share
from ranked_items
cross join buyers
inner join {{ ref('int_affinity_items') }} as items on ranked_items.item_number = items.item_number
left join departments on items.item = departments.item and departments.department_rank = 1
where ranked_items.customers_rank <= {{ var('offer_max_items') }}
