{# Baskets with both items of an unordered pair (item_a < item_b) before the as-of date, kept from min_pair_count on.

   Whole months before the as-of date's own are added up from int_month_pairs; what was complete in its month before it is
   counted here. Products are counted here altogether. #}
with as_of_months as (

    select
        as_of,
        {{ month_start('as_of') }} as month_on
    from {{ ref('int_as_of_dates') }}
    where is_current

),

whole_months as (

    select
        first_names.item_level,
        first_names.item_number as item_a,
        second_names.item_number as item_b,
        month_pairs.n_both
    from {{ ref('int_month_pairs') }} as month_pairs
    inner join as_of_months on month_pairs.month_on < as_of_months.month_on
    inner join {{ ref('int_affinity_items') }} as first_names
        on month_pairs.item_level = first_names.item_level and month_pairs.item_a = first_names.item
    inner join {{ ref('int_affinity_items') }} as second_names
        on month_pairs.item_level = second_names.item_level and month_pairs.item_b = second_names.item

),

open_baskets as (

    select distinct facts.basket_number
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join as_of_months on facts.bought_on >= as_of_months.month_on and facts.bought_on < as_of_months.as_of

),

open_items as (

    select
        facts.item_level,
        facts.basket_number,
        facts.item_number,
        facts.bought_on >= as_of_months.month_on as is_in_month
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join open_baskets on facts.basket_number = open_baskets.basket_number
    inner join as_of_months on facts.bought_on < as_of_months.as_of
    where facts.item_level <> 'product'

),

open_month as (

    select
        first_items.item_level,
        first_items.item_number as item_a,
        second_items.item_number as item_b,
        count(*) as n_both
    from open_items as first_items
    inner join open_items as second_items
        on
            first_items.basket_number = second_items.basket_number
            and first_items.item_level = second_items.item_level
            and first_items.item_number < second_items.item_number
            and (first_items.is_in_month or second_items.is_in_month)
    where first_items.item_level in ('{{ (month_pair_levels() or ["none"]) | join("', '") }}')
    group by first_items.item_level, first_items.item_number, second_items.item_number

),

month_pairs as (

    select item_level, item_a, item_b, n_both
    from whole_months
    union all
    select item_level, item_a, item_b, n_both
    from open_month

),

{# An item in fewer baskets than a pair needs can be in no such pair, so leaving it out before the join loses nothing. #}
frequent_items as (

    select item_number
    from {{ ref('int_item_counts') }}
    where sales_window = 'basket' and item_level = 'product' and n_units >= {{ var('min_pair_count') }} and item_number > 0

),

products as (

    select
        items.unit_number,
        items.item_number
    from {{ ref('int_unit_items') }} as items
    inner join frequent_items on items.item_number = frequent_items.item_number
    where items.sales_window = 'basket' and items.item_level = 'product'

)

select
    item_level,
    item_a,
    item_b,
    cast(sum(n_both) as bigint) as n_both
from month_pairs
group by item_level, item_a, item_b
having sum(n_both) >= {{ var('min_pair_count') }}

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
        first_items.unit_number = second_items.unit_number
        and first_items.item_number < second_items.item_number
where first_items.item_number % {{ parts }} = {{ part }}
group by first_items.item_number, second_items.item_number
having count(*) >= {{ var('min_pair_count') }}
{% endfor %}
{% endif %}
