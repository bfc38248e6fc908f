{{ config(materialized='kept', by='day_on', inputs='int_order_days') }}

{# What each basket was bought for: the first rule that fits its size, weekday and hour. Where the files gave a date alone, no hour
   is made up: the basket's occasion is `unknown`, unless the first rule that fits its size and weekday asks for no hour. #}
with baskets as (

    select
        baskets.basket_number,
        baskets.order_id,
        baskets.customer_id,
        baskets.basket_on,
        baskets.positive_amount,
        baskets.n_lines,
        {{ iso_weekday('baskets.basket_on') }} as weekday,
        cast(extract(hour from baskets.first_at_local) as integer) as hour,
        days.day_on
    from {{ ref('int_baskets') }} as baskets
    {# Its days are named here: no filter from outside reaches what is read twice. #}
    inner join {{ missing(ref('int_order_days')) }} as days on baskets.day_on = days.day_on

),

fitting_rules as (

    select
        baskets.basket_number,
        min(rules.priority) as priority
    from baskets
    inner join {{ ref('occasion_rules') }} as rules
        on
            (rules.min_items is null or baskets.n_lines >= rules.min_items)
            and (rules.max_items is null or baskets.n_lines <= rules.max_items)
            and baskets.weekday between rules.first_weekday and rules.last_weekday
            and (baskets.hour >= rules.first_hour or rules.first_hour is null or baskets.hour is null)
            and (baskets.hour <= rules.last_hour or rules.last_hour is null or baskets.hour is null)
    group by baskets.basket_number

)

select
    baskets.basket_number,
    baskets.order_id,
    baskets.customer_id,
    baskets.basket_on,
    baskets.positive_amount,
    case
        when baskets.hour is null and (rules.first_hour is not null or rules.last_hour is not null) then 'unknown'
        else coalesce(rules.occasion, 'mixed')
    end as occasion,
    baskets.day_on
from baskets
left join fitting_rules on baskets.basket_number = fitting_rules.basket_number
left join {{ ref('occasion_rules') }} as rules on fitting_rules.priority = rules.priority
