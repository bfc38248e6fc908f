{# Size of each basket or customer in distinct items of the level, and its decile: 1 + floor(10 x units strictly smaller /
   units), so that equal sizes share a decile. #}
with sizes as (

    select
        item_level,
        sales_window,
        unit_number,
        count(*) as size
    from {{ ref('int_unit_items') }}
    group by item_level, sales_window, unit_number

),

size_counts as (

    select
        item_level,
        sales_window,
        size,
        count(*) as units
    from sizes
    group by item_level, sales_window, size

),

size_deciles as (

    select
        item_level,
        sales_window,
        size,
        {{ size_decile('units', 'item_level, sales_window', 'size') }} as decile
    from size_counts

)

select
    sizes.item_level,
    sizes.sales_window,
    sizes.unit_number,
    sizes.size,
    size_deciles.decile
from sizes
inner join size_deciles
    on
        sizes.item_level = size_deciles.item_level
        and sizes.sales_window = size_deciles.sales_window
        and sizes.size = size_deciles.size
