{{ config(**kept('int_fact_dates', 'as_of')) }}

with dates as (

    select
        as_of,
        made_from,
        {{ days_after('as_of', -(var('rfm_window_days') | int)) }} as window_start
    from ({{ partitions_to_make('int_fact_dates', 'as_of') }}) as missing_dates

),

baskets as (

    select
        dates.as_of,
        dates.made_from,
        facts.customer_number,
        facts.item_key,
        count(*) as baskets
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join dates on facts.bought_on < dates.as_of and facts.bought_on >= dates.window_start
    where facts.item_level = 'category'
    group by dates.as_of, dates.made_from, facts.customer_number, facts.item_key

)

select
    baskets.as_of,
    customers.customer_id,
    items.item as category,
    baskets.baskets,
    baskets.made_from
from baskets
inner join {{ ref('int_customers') }} as customers on baskets.customer_number = customers.customer_number
inner join {{ ref('int_affinity_items') }} as items on baskets.item_key = items.item_key
