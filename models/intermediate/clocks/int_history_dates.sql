{# Each date of the history grid with the one before it, and what the moves between the two are made from. #}
with grid as (

    select
        as_of,
        lag(as_of) over (order by as_of) as as_of_before
    from {{ ref('int_as_of_dates') }}
    where is_history_grid

)

select
    grid.as_of,
    grid.as_of_before,
    {{ row_hash(['dates.made_from', 'grid.as_of_before', 'dates_before.made_from']) }} as made_from
from grid
inner join {{ ref('int_membership_dates') }} as dates on grid.as_of = dates.as_of
left join {{ ref('int_membership_dates') }} as dates_before on grid.as_of_before = dates_before.as_of
