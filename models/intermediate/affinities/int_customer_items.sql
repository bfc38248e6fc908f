{# What each customer ever bought before the as-of date, at the level that offers are made on. #}
select
    facts.customer_number,
    facts.item_number,
    count(*) as baskets,
    max(facts.bought_on) as last_bought_on
from {{ ref('int_basket_item_numbers') }} as facts
inner join {{ ref('int_as_of_dates') }} as dates on dates.is_current and facts.bought_on < dates.as_of
where facts.item_level = '{{ var("offer_level") }}'
group by facts.customer_number, facts.item_number
