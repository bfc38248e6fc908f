{# What each basket was bought for: the first rule that fits its size, weekday and hour. #}
with baskets as (

    select
        order_id,
        customer_id,
        basket_on,
        positive_amount,
        n_lines,
        {{ iso_weekday('basket_on') }} as weekday,
        cast(extract(hour from first_at_local) as integer) as hour
    from {{ ref('int_baskets') }}

),

fitting_rules as (

    select
        baskets.order_id,
        baskets.customer_id,
        min(rules.priority) as priority
    from baskets
    inner join {{ ref('occasion_rules') }} as rules
        on
            (rules.min_items is null or baskets.n_lines >= rules.min_items)
            and (rules.max_items is null or baskets.n_lines <= rules.max_items)
            and baskets.weekday between rules.first_weekday and rules.last_weekday
            and baskets.hour between rules.first_hour and rules.last_hour
    group by baskets.order_id, baskets.customer_id

)

select
    baskets.order_id,
    baskets.customer_id,
    baskets.basket_on,
    baskets.positive_amount,
    coalesce(rules.occasion, 'mixed') as occasion
from baskets
left join fitting_rules
    on baskets.order_id = fitting_rules.order_id and baskets.customer_id = fitting_rules.customer_id
left join {{ ref('occasion_rules') }} as rules on fitting_rules.priority = rules.priority
