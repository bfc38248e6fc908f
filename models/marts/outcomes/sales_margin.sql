-- What is left of the net amount after the cost of goods, over the behaviour window before the as-of date, and before the end of each
-- experiment that has closed: its results do not move with what is sold later. From the products that say their margin.
with settings as (

    select
        as_of,
        rfm_window_days
    from {{ ref('refresh_settings') }}

),

dates as (

    select as_of
    from settings
    union
    select closes_on as as_of
    from {{ ref('experiment_members') }}
    where is_closed

),

windows as (

    select
        dates.as_of,
        {{ days_after('dates.as_of', '-settings.rfm_window_days') }} as window_from
    from dates
    cross join settings

),

-- A day at a time, so that many closing dates do not read the lines many times.
days as (

    select
        order_lines.ordered_on,
        sum(order_lines.amount) as amount,
        sum(case when products.unit_margin is not null then order_lines.amount end) as amount_with_margin,
        -- A return takes its margin back, also where its quantity is written without a minus.
        sum(
            case when order_lines.amount < 0 then -abs(order_lines.quantity) else order_lines.quantity end
            * products.unit_margin
        ) as margin
    from {{ ref('int_order_lines') }} as order_lines
    left join {{ ref('int_products') }} as products on order_lines.product_id = products.product_id
    where order_lines.is_merchandise
    group by order_lines.ordered_on

),

totals as (

    select
        windows.as_of,
        coalesce(cast(sum(days.amount) as double), 0e0) as amount,
        coalesce(cast(sum(days.amount_with_margin) as double), 0e0) as amount_with_margin,
        cast(sum(days.margin) as double) as margin
    from windows
    left join days on days.ordered_on < windows.as_of and days.ordered_on >= windows.window_from
    group by windows.as_of

)

select
    as_of,
    cast(amount as double) as amount,
    cast(amount_with_margin as double) as amount_with_margin,
    cast(case when amount_with_margin > 0 then margin / amount_with_margin end as double) as margin_share
from totals
