{# The days before open_on of int_affinity_grid, in one row, and their hash, with that of the baskets on them that came back before the
   grid's day: what int_past_pairs is made from. #}
with returned_baskets as (

    select {{ hash_sum(row_hash(['returned.basket_number'])) }} as baskets_hash
    from {{ ref('int_returned_baskets') }} as returned
    inner join {{ ref('int_affinity_grid') }} as grid
        on returned.basket_on < grid.open_on and returned.returned_on < grid.grid_on

)

select
    grid.open_on,
    {{ row_hash([
        'grid.open_on', 'count(days.day_on)', hash_sum(row_hash(['days.day_on', 'days.made_from'])), 'max(returned.baskets_hash)'
    ]) }} as made_from
from {{ ref('int_affinity_grid') }} as grid
cross join returned_baskets as returned
left join {{ ref('int_order_days') }} as days on days.day_on < grid.open_on
group by grid.open_on
