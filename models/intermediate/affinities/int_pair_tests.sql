{# Each kept pair with its counts, the one-sided Fisher test, its q-value over the kept pairs of the level and window, and
   the number of joint units that chance would lead to expect: by sizes (expected_both) and by sizes and months (season_both) as
   the contract defines them, and neutral_both, by both, in which all pairs add up to those that there are. What is bought in one
   basket is here for departments and categories, what follows what for all sequence_levels (int_grid_pair_tests has the rest). Pairs
   are unordered (item_a < item_b) in the window `basket`, ordered (item_a, then item_b) in the others. #}
with counted_pairs as (

    select
        item_level,
        'basket' as sales_window,
        item_a,
        item_b,
        n_both,
        n_both as n_reverse
    from {{ ref('int_item_pairs') }}

    union all

    select
        item_level,
        '{{ var("sequence_days") }}_days' as sales_window,
        item_a,
        item_b,
        n_both,
        n_reverse
    from {{ ref('int_item_sequences') }}

),

totals as (

    select
        dates.item_level,
        'basket' as sales_window,
        count(*) as n_baskets
    from {{ ref('int_basket_numbers') }} as numbers
    inner join {{ ref('int_affinity_dates') }} as dates on numbers.basket_on < dates.as_of
    {{ with_returned_baskets('numbers', 'dates.as_of') }}
    where returned.basket_number is null
    group by dates.item_level

    union all

    select
        dates.item_level,
        '{{ var("sequence_days") }}_days' as sales_window,
        count(distinct numbers.customer_number) as n_baskets
    from {{ ref('int_basket_numbers') }} as numbers
    inner join {{ ref('int_affinity_dates') }} as dates on numbers.basket_on < dates.as_of
    {{ with_returned_baskets('numbers', 'dates.as_of') }}
    where
        returned.basket_number is null
        and dates.item_level in ('{{ (var("sequence_levels") or ["none"]) | join("', '") }}')
    group by dates.item_level

),

{{ pair_tests(ref('int_item_counts')) | trim }}

select
    item_level,
    sales_window,
    item_a,
    item_b,
    n_baskets,
    n_a,
    n_b,
    n_both,
    n_reverse,
    expected_both,
    season_both,
    neutral_both,
    p_value,
    q_value
from q_values
