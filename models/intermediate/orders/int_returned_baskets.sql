{# Baskets of which everything has come back, by lines that say which order they return (returns_order_id), with the local day on
   which the last of it did. On as-of dates after that day they are no baskets; before it they were. Without such lines this is
   empty, and what reads it passes it by (macros/returned_baskets.sql). #}
with returns as (

    select
        returns_order_id as order_id,
        customer_id,
        product_id,
        store_id,
        channel,
        ordered_on as returned_on,
        sum(abs(quantity)) as quantity
    from {{ ref('stg_order_lines') }}
    where is_counted and returns_order_id is not null and (quantity < 0 or amount < 0)
    group by returns_order_id, customer_id, product_id, store_id, channel, ordered_on

),

returned_orders as (

    select distinct order_id
    from returns

),

sold_products as (

    select
        {{ basket_number('order_lines') }} as basket_number,
        order_lines.order_id,
        order_lines.customer_id,
        order_lines.product_id,
        min(order_lines.store_id) as store_id,
        min(order_lines.channel) as channel,
        min(order_lines.ordered_on) as sold_on,
        sum(order_lines.quantity) as quantity
    from {{ ref('int_order_lines') }} as order_lines
    inner join returned_orders on order_lines.order_id = returned_orders.order_id
    where order_lines.is_merchandise and order_lines.is_positive
    group by {{ basket_number('order_lines') }}, order_lines.order_id, order_lines.customer_id, order_lines.product_id

),

baskets as (

    select
        basket_number,
        order_id,
        customer_id,
        min(sold_on) as basket_on,
        count(*) as products
    from sold_products
    group by basket_number, order_id, customer_id

),

{# A number may be that of several baskets: another customer's, or where order_scope divides it. A return is of one of those that
   hold its product by its day: its own customer's, as far as both are known, of its store and channel, and then the latest one. #}
candidates as (

    select
        returns.product_id,
        returns.returned_on,
        returns.quantity,
        sold_products.basket_number,
        row_number() over (
            partition by
                returns.order_id, returns.customer_id, returns.product_id, returns.store_id, returns.channel, returns.returned_on
            order by
                case when returns.customer_id is not distinct from sold_products.customer_id then 0 else 1 end,
                case when returns.store_id = sold_products.store_id then 0 else 1 end,
                case when returns.channel = sold_products.channel then 0 else 1 end,
                baskets.basket_on desc,
                sold_products.customer_id asc,
                sold_products.store_id asc nulls last,
                sold_products.channel asc nulls last
        ) as place
    from returns
    inner join sold_products
        on
            returns.order_id = sold_products.order_id
            and returns.product_id = sold_products.product_id
            and (
                returns.customer_id = sold_products.customer_id
                or returns.customer_id is null
                or sold_products.customer_id is null
            )
    -- What was sold later cannot have come back, and would change what earlier as-of dates saw.
    inner join baskets
        on sold_products.basket_number = baskets.basket_number and baskets.basket_on <= returns.returned_on

),

product_returns as (

    select
        basket_number,
        product_id,
        returned_on,
        sum(sum(quantity)) over (
            partition by basket_number, product_id
            order by returned_on
            rows between unbounded preceding and current row
        ) as quantity_so_far
    from candidates
    where place = 1
    group by basket_number, product_id, returned_on

),

returned_products as (

    select
        sold_products.basket_number,
        sold_products.product_id,
        min(product_returns.returned_on) as returned_on
    from sold_products
    inner join product_returns
        on
            sold_products.basket_number = product_returns.basket_number
            and sold_products.product_id = product_returns.product_id
            and sold_products.quantity <= product_returns.quantity_so_far
    group by sold_products.basket_number, sold_products.product_id

)

select
    baskets.basket_number,
    baskets.customer_id,
    baskets.basket_on,
    max(returned_products.returned_on) as returned_on
from baskets
inner join returned_products on baskets.basket_number = returned_products.basket_number
group by baskets.basket_number, baskets.customer_id, baskets.basket_on, baskets.products
having count(*) = baskets.products
