-- What is left of the net amount after the cost of goods, over the RFM window, from the products that say their margin.
with settings as (

    select
        as_of,
        rfm_window_days
    from {{ ref('refresh_settings') }}

),

sales as (

    select
        order_lines.amount,
        case when products.unit_margin is not null then order_lines.amount end as amount_with_margin,
        order_lines.quantity * products.unit_margin as margin
    from {{ ref('int_order_lines') }} as order_lines
    inner join settings
        on
            order_lines.ordered_on < settings.as_of
            and order_lines.ordered_on >= {{ days_after('settings.as_of', '-settings.rfm_window_days') }}
    left join {{ ref('int_products') }} as products on order_lines.product_id = products.product_id
    where order_lines.is_merchandise

),

totals as (

    select
        coalesce(cast(sum(amount) as double), 0e0) as amount,
        coalesce(cast(sum(amount_with_margin) as double), 0e0) as amount_with_margin,
        cast(sum(margin) as double) as margin
    from sales

)

select
    cast(amount as double) as amount,
    cast(amount_with_margin as double) as amount_with_margin,
    cast(case when amount_with_margin > 0 then margin / amount_with_margin end as double) as margin_share
from totals
