{# The days before open_on of int_affinity_grid, in one row, and their hash: what int_past_pairs is made from. #}
select
    grid.open_on,
    {{ row_hash(['grid.open_on', 'count(days.day_on)', hash_sum(row_hash(['days.day_on', 'days.made_from']))]) }} as made_from
from {{ ref('int_affinity_grid') }} as grid
left join {{ ref('int_order_days') }} as days on days.day_on < grid.open_on
group by grid.open_on
