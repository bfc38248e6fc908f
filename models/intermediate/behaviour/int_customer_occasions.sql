{{ config(materialized='kept', by='as_of', inputs='int_fact_dates') }}

{# Each member's baskets by occasion in the behaviour window before each as-of date; those of unknown hour say nothing of
   occasions. Of an order that goes on over the date, its lines before the date are the basket. #}
with dates as (

    {# Its dates are named here: what is added up is of earlier days. #}
    select
        as_of,
        window_start_on
    from {{ missing(ref('int_fact_dates')) }}

),

long_orders as (

    select
        basket_number,
        ordered_on,
        max(ordered_on) over (partition by basket_number) as last_on
    from {{ ref('int_long_orders') }}
    where customer_id is not null

),

{# The days before the date of orders that go on over it: few, so that few days of lines are read. #}
cut_days as (

    select
        dates.as_of,
        long_orders.basket_number,
        long_orders.ordered_on
    from long_orders
    inner join dates on long_orders.ordered_on < dates.as_of and long_orders.last_on >= dates.as_of

),

cut_lines as (

    select
        cut_days.as_of,
        cut_days.basket_number,
        {{ money_sum('order_lines.amount') }} as positive_amount,
        count(*) as n_lines
    from {{ ref('int_order_lines') }} as order_lines
    inner join cut_days
        on
            order_lines.ordered_on = cut_days.ordered_on
            and {{ basket_number('order_lines') }} = cut_days.basket_number
    where order_lines.is_merchandise and order_lines.is_positive
    group by cut_days.as_of, cut_days.basket_number

),

cut_baskets as (

    select
        cut_lines.as_of,
        cut_lines.basket_number,
        cut_lines.positive_amount,
        cut_lines.n_lines,
        {{ iso_weekday('baskets.basket_on') }} as weekday,
        {{ hour_of('baskets.first_at_local') }} as hour
    from cut_lines
    inner join {{ ref('int_baskets') }} as baskets on cut_lines.basket_number = baskets.basket_number

),

cut_occasions as (

    {{ with_occasions(
        'cut_baskets',
        key=['as_of', 'basket_number'],
        columns=['as_of', 'basket_number', 'positive_amount'],
    ) | indent(4) }}

)

select
    dates.as_of,
    baskets.customer_id,
    coalesce(cut_occasions.occasion, baskets.occasion) as occasion,
    cast(count(*) as bigint) as baskets,
    {{ money_sum('coalesce(cut_occasions.positive_amount, baskets.positive_amount)') }} as spend
from {{ ref('int_basket_occasions') }} as baskets
inner join dates on baskets.basket_on < dates.as_of and baskets.basket_on >= dates.window_start_on
left join cut_occasions on dates.as_of = cut_occasions.as_of and baskets.basket_number = cut_occasions.basket_number
{{ with_returned_baskets('baskets', 'dates.as_of') }}
where
    coalesce(cut_occasions.occasion, baskets.occasion) <> 'unknown'
    and baskets.customer_id is not null
    and returned.basket_number is null
group by dates.as_of, baskets.customer_id, coalesce(cut_occasions.occasion, baskets.occasion)
