{{ config(**kept('int_fact_dates', 'as_of')) }}

with dates as (

    select
        as_of,
        made_from,
        {{ days_after('as_of', -(var('rfm_window_days') | int)) }} as window_start
    from ({{ partitions_to_make('int_fact_dates', 'as_of') }}) as missing_dates

)

select
    dates.as_of,
    items.customer_id,
    items.item as category,
    count(*) as baskets,
    dates.made_from
from {{ ref('int_basket_items') }} as items
inner join dates on items.bought_on < dates.as_of and items.bought_on >= dates.window_start
where items.item_level = 'category'
group by dates.as_of, dates.made_from, items.customer_id, items.item
