{# The items that offers are made from, those with most customers among the ones that may be named, numbered from 1 without
   gaps, in alphabetical order; with the share of customers who ever bought them, in whole billionths, and their department:
   that of most of their lines before the as-of date. An item out of stock is a reason, and not an offer (is_offered). #}

with item_customers as (

    select
        customer_items.item_number,
        permissions.is_offered,
        count(*) as customers
    from {{ ref('int_customer_items') }} as customer_items
    inner join {{ ref('int_offerable_items') }} as permissions on customer_items.item_number = permissions.item_number
    where permissions.is_allowed
    group by customer_items.item_number, permissions.is_offered

),

buyers as (

    select count(distinct customer_number) as customers
    from {{ ref('int_customer_items') }}

),

ranked_items as (

    select
        item_number,
        is_offered,
        customers,
        row_number() over (order by customers desc, item_number asc) as customers_rank
    from item_customers

),

department_lines as (

    select
        {{ item_of_level('offer_level.item_level', 'order_lines', offer_levels()) | indent(8) }} as item,
        order_lines.department,
        count(*) as n_lines
    from {{ ref('int_order_lines') }} as order_lines
    cross join {{ ref('int_offer_level') }} as offer_level
    inner join {{ ref('int_current_date') }} as dates on order_lines.ordered_on < dates.as_of
    where order_lines.is_merchandise and order_lines.is_positive and order_lines.department is not null
    group by
        {{ item_of_level('offer_level.item_level', 'order_lines', offer_levels()) | indent(8) }},
        order_lines.department

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
    ranked_items.is_offered,
    ranked_items.customers,
    cast(round(1000000000e0 * ranked_items.customers / buyers.customers) as bigint) as share
from ranked_items
cross join buyers
inner join {{ ref('int_affinity_items') }} as items on ranked_items.item_number = items.item_number
left join departments on items.item = departments.item and departments.department_rank = 1
where ranked_items.customers_rank <= {{ var('offer_max_items') }}
