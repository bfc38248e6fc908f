{# Units with each item before the as-of date, in all, by size decile, and by size decile and calendar month; and, with item_number
   0, units of each decile whatever they hold. A unit is a basket (window `basket`, of departments and categories) or a customer,
   who holds what was ever bought (`30_days`). Decile of a size: 1 + floor(10 x units strictly smaller / units), so that equal
   sizes share a decile. #}
{%- set daily = daily_levels(var('sequence_levels')) or ['none'] -%}
{%- set on_grid = grid_levels(var('sequence_levels')) %}
with customer_items as (

    select
        item_level,
        customer_number,
        item_key
    from {{ ref('int_period_customer_items') }}
    where item_level in ('{{ daily | join("', '") }}')
    group by item_level, customer_number, item_key

    {% if on_grid -%}
    union all

    select
        facts.item_level,
        facts.customer_number,
        facts.item_key
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join {{ ref('int_affinity_dates') }} as dates
        on facts.item_level = dates.item_level and facts.bought_on < dates.as_of
    {{ with_returned_baskets('facts', 'dates.as_of') }}
    where returned.basket_number is null and facts.customer_number is not null and facts.item_level in ('{{ on_grid | join("', '") }}')
    group by facts.item_level, facts.customer_number, facts.item_key
    {%- endif %}

),

customer_sizes as (

    select
        item_level,
        customer_number,
        count(*) as size
    from customer_items
    group by item_level, customer_number

),

counts as (

    select
        item_level,
        'basket' as sales_window,
        size,
        month,
        item_key,
        sum(baskets) as units
    from {{ ref('int_period_sizes') }}
    group by item_level, size, month, item_key

    union all

    {# What a customer ever bought is of no month: all are in one. #}
    select
        item_level,
        '{{ var("sequence_days") }}_days' as sales_window,
        size,
        1 as month,
        null as item_key,
        count(*) as units
    from customer_sizes
    group by item_level, size

    union all

    select
        customer_items.item_level,
        '{{ var("sequence_days") }}_days' as sales_window,
        customer_sizes.size,
        1 as month,
        customer_items.item_key,
        count(*) as units
    from customer_items
    inner join customer_sizes
        on
            customer_items.item_level = customer_sizes.item_level
            and customer_items.customer_number = customer_sizes.customer_number
    group by customer_items.item_level, customer_sizes.size, customer_items.item_key

),

{{ item_counts_by_decile('counts', ['item_level', 'sales_window']) | trim }}

select
    item_counts.item_level,
    item_counts.sales_window,
    case when item_counts.item_key is null then 0 else items.item_number end as item_number,
    item_counts.n_units,
    {% for decile in range(1, 11) -%}
    item_counts.n_{{ decile }},
    {% endfor -%}
    item_counts.season_counts,
    item_counts.season_rates,
    item_counts.season_neutrals
from item_counts
left join {{ ref('int_affinity_items') }} as items on item_counts.item_key = items.item_key
