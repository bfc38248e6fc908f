{# Units with each item, in all and by size decile; and, with item_number 0, units of each size decile whatever they hold, and
   the ordered pairs in them, of all units before the as-of date. A unit is a basket (window `basket`) or a customer, who holds
   what was ever bought (`30_days`). Decile of a size: 1 + floor(10 x units strictly smaller / units), so that equal sizes share
   a decile. #}
with customer_items as (

    select
        item_level,
        customer_number,
        item_key
    from {{ ref('int_period_customer_items') }}
    where item_level in ('{{ (var("sequence_levels") or ["none"]) | join("', '") }}')
    group by item_level, customer_number, item_key

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
        item_key,
        cast(sum(baskets) as bigint) as units
    from {{ ref('int_period_sizes') }}
    group by item_level, size, item_key

    union all

    select
        item_level,
        '{{ var("sequence_days") }}_days' as sales_window,
        size,
        null as item_key,
        count(*) as units
    from customer_sizes
    group by item_level, size

    union all

    select
        customer_items.item_level,
        '{{ var("sequence_days") }}_days' as sales_window,
        customer_sizes.size,
        customer_items.item_key,
        count(*) as units
    from customer_items
    inner join customer_sizes
        on
            customer_items.item_level = customer_sizes.item_level
            and customer_items.customer_number = customer_sizes.customer_number
    group by customer_items.item_level, customer_sizes.size, customer_items.item_key

),

size_deciles as (

    select
        item_level,
        sales_window,
        size,
        {{ size_decile('units', 'item_level, sales_window', 'size') }} as decile
    from counts
    where item_key is null

),

placed_counts as (

    select
        counts.item_level,
        counts.sales_window,
        case when counts.item_key is null then 0 else items.item_number end as item_number,
        counts.units,
        case when counts.item_key is null then counts.units * counts.size * (counts.size - 1) else 0 end as pairs,
        size_deciles.decile
    from counts
    inner join size_deciles
        on
            counts.item_level = size_deciles.item_level
            and counts.sales_window = size_deciles.sales_window
            and counts.size = size_deciles.size
    left join {{ ref('int_affinity_items') }} as items on counts.item_key = items.item_key

)

select
    item_level,
    sales_window,
    item_number,
    cast(sum(units) as bigint) as n_units,
    {{ decile_columns('units') }},
    {{ decile_columns('pairs', 'pairs') }}
from placed_counts
group by item_level, sales_window, item_number
