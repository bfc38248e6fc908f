{# Baskets with both items of an unordered pair (item_a < item_b, in alphabetical order) before the as-of date, kept from
   min_pair_count on: added up over the periods of int_period_pairs. Products are counted here altogether. #}
with pairs as (

    select
        item_level,
        item_a,
        item_b,
        cast(sum(n_both) as bigint) as n_both
    from {{ ref('int_period_pairs') }}
    group by item_level, item_a, item_b
    having sum(n_both) >= {{ var('min_pair_count') }}

),

{# An item in fewer baskets than a pair needs can be in no such pair, so leaving it out before the join loses nothing. #}
frequent_items as (

    select
        items.item_key,
        items.item_number
    from {{ ref('int_item_counts') }} as counts
    inner join {{ ref('int_affinity_items') }} as items on counts.item_number = items.item_number
    where counts.sales_window = 'basket' and counts.item_level = 'product' and counts.n_units >= {{ var('min_pair_count') }}

),

products as (

    select
        facts.basket_number,
        frequent_items.item_number
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join {{ ref('int_as_of_dates') }} as dates on dates.is_current and facts.bought_on < dates.as_of
    inner join frequent_items on facts.item_key = frequent_items.item_key
    where facts.item_level = 'product'

)

select
    pairs.item_level,
    least(first_items.item_number, second_items.item_number) as item_a,
    greatest(first_items.item_number, second_items.item_number) as item_b,
    pairs.n_both
from pairs
inner join {{ ref('int_affinity_items') }} as first_items on pairs.item_a = first_items.item_key
inner join {{ ref('int_affinity_items') }} as second_items on pairs.item_b = second_items.item_key

{#- Products have millions of pairs, most of them in one basket: counted a quarter at a time, the table of counts is a quarter
    as large. #}
{% if 'product' in var('affinity_levels') %}
{%- set parts = 4 -%}
{% for part in range(parts) %}
union all
select
    'product' as item_level,
    first_items.item_number as item_a,
    second_items.item_number as item_b,
    count(*) as n_both
from products as first_items
inner join products as second_items
    on
        first_items.basket_number = second_items.basket_number
        and first_items.item_number < second_items.item_number
where first_items.item_number % {{ parts }} = {{ part }}
group by first_items.item_number, second_items.item_number
having count(*) >= {{ var('min_pair_count') }}
{% endfor %}
{% endif %}
