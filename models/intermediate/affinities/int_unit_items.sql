{# What is counted in each window, before the as-of date: the items of a basket (`basket`), or all items that a customer
   ever bought (`30_days`). A unit is a basket's or a customer's number. #}
with facts as (

    select
        facts.item_level,
        facts.basket_number,
        facts.customer_number,
        facts.item_number
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join {{ ref('int_as_of_dates') }} as dates on dates.is_current and facts.bought_on < dates.as_of

)

select
    item_level,
    'basket' as sales_window,
    basket_number as unit_number,
    item_number
from facts
where item_level in ('{{ var("affinity_levels") | join("', '") }}')
{% if var('sequence_levels') %}
union all
select distinct
    item_level,
    '{{ var("sequence_days") }}_days' as sales_window,
    customer_number as unit_number,
    item_number
from facts
where item_level in ('{{ var("sequence_levels") | join("', '") }}')
{% endif %}
