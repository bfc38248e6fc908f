with dates as (

    select
        as_of,
        {{ days_after('as_of', -(var('rfm_window_days') | int)) }} as window_start
    from {{ ref('int_as_of_dates') }}

)

select
    dates.as_of,
    items.customer_id,
    items.item as category,
    count(*) as baskets
from {{ ref('int_basket_items') }} as items
inner join dates on items.bought_on < dates.as_of and items.bought_on >= dates.window_start
where items.item_level = 'category'
group by dates.as_of, items.customer_id, items.item
