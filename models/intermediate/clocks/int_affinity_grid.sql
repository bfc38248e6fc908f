{# The day before which the affinities of subcategories and products are counted, in one row, and what they are made from: a hash
   of all days before it. Their pairs before open_on, the first of the month of the last of these days, are kept by themselves. #}
with dates as (

    select max(as_of) as grid_on
    from {{ ref('int_affinity_dates') }}
    where item_level in ('{{ (grid_levels(var("affinity_levels")) or ["none"]) | join("', '") }}')

)

select
    dates.grid_on,
    {{ month_start(days_after('dates.grid_on', -1)) }} as open_on,
    {{ row_hash(['dates.grid_on', 'count(*)', hash_sum(row_hash(['days.day_on', 'days.made_from']))]) }} as made_from
from dates
inner join {{ ref('int_order_days') }} as days on days.day_on < dates.grid_on
group by dates.grid_on
