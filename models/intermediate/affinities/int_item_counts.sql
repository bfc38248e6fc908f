{# Units (baskets or customers) with each item, in all and by size decile; and, with item_number 0, units of each size
   decile whatever they hold, of all units before the as-of date. #}
with facts as (

    select
        items.item_level,
        items.sales_window,
        items.item_number,
        sizes.decile,
        count(*) as units
    from {{ ref('int_unit_items') }} as items
    inner join {{ ref('int_unit_sizes') }} as sizes
        on
            items.item_level = sizes.item_level
            and items.sales_window = sizes.sales_window
            and items.unit_number = sizes.unit_number
    group by items.item_level, items.sales_window, items.item_number, sizes.decile

    union all

    select
        item_level,
        sales_window,
        0 as item_number,
        decile,
        count(*) as units
    from {{ ref('int_unit_sizes') }}
    group by item_level, sales_window, decile

)

select
    item_level,
    sales_window,
    item_number,
    cast(sum(units) as bigint) as n_units,
    {{ decile_columns('units') }}
from facts
group by item_level, sales_window, item_number
