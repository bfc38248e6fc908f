{# The periods that counts are kept by (macros/periods.sql), and what each is made from: the hashes of its days before the
   as-of date. An order that reaches into the period is in the hash of its days there, with all its lines. Its basket is counted
   in the period in which it was complete, which is a later one once the as-of date has passed a line of it there: so baskets that
   went on in a later period are in the hash too, with the day they have come to. #}
with days as (

    {{ days_of_periods() | indent(4) }}

),

periods as (

    select
        period_on,
        count(*) as days,
        {{ hash_sum(row_hash(['day_on', 'made_from'])) }} as days_hash
    from days
    group by period_on

),

long_order_days as (

    select
        long_orders.basket_number,
        days.period_on,
        max(days.day_on) over (partition by long_orders.basket_number) as last_day_on,
        max(days.period_on) over (partition by long_orders.basket_number) as last_period_on
    from {{ ref('int_long_orders') }} as long_orders
    inner join days on long_orders.ordered_on = days.day_on

),

later_baskets as (

    select
        period_on,
        {{ hash_sum(row_hash(['basket_number', 'last_day_on'])) }} as baskets_hash
    from long_order_days
    where period_on < last_period_on
    group by period_on

)

select
    periods.period_on,
    {{ row_hash(['periods.period_on', 'periods.days', 'periods.days_hash', 'later_baskets.baskets_hash']) }} as made_from
from periods
left join later_baskets on periods.period_on = later_baskets.period_on
