{# A whole number a item of the level that offers are made on, in alphabetical order: sums over pairs of items are several
   times faster over numbers than over texts. #}
select
    item,
    cast(row_number() over (order by item) as bigint) as item_number
from (select distinct item from {{ ref('int_customer_items') }}) as items
