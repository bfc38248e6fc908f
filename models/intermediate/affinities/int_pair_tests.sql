{# Each kept pair with its counts, the one-sided Fisher test, its q-value over the kept pairs of the level and window, and
   the number of joint units that sizes alone would lead to expect: expected_both as the contract defines it, and neutral_both,
   in which all pairs add up to those that there are. Pairs are unordered (item_a < item_b) in the window `basket`, ordered
   (item_a, then item_b) in the others. #}
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
        'basket' as sales_window,
        count(*) as n_baskets
    from {{ ref('int_basket_numbers') }} as numbers
    inner join {{ ref('int_as_of_dates') }} as dates on dates.is_current and numbers.basket_on < dates.as_of
    {{ with_returned_baskets('numbers', 'dates.as_of') }}
    where returned.basket_number is null

    union all

    select
        '{{ var("sequence_days") }}_days' as sales_window,
        count(distinct numbers.customer_number) as n_baskets
    from {{ ref('int_basket_numbers') }} as numbers
    inner join {{ ref('int_as_of_dates') }} as dates on dates.is_current and numbers.basket_on < dates.as_of
    {{ with_returned_baskets('numbers', 'dates.as_of') }}
    where returned.basket_number is null

),

pair_shares as (

    {{ pair_shares(ref('int_item_counts')) | indent(4) }}

),

pairs as (

    select
        counted_pairs.item_level,
        counted_pairs.sales_window,
        counted_pairs.item_a,
        counted_pairs.item_b,
        totals.n_baskets,
        counts_a.n_units as n_a,
        counts_b.n_units as n_b,
        counted_pairs.n_both,
        counted_pairs.n_reverse,
        {{ expected_by_size('counts_a', 'counts_b', 'size_counts') }} as expected_both,
        {{ expected_by_size('counts_a', 'counts_b', 'size_counts', 'pair_shares') }} as neutral_both
    from counted_pairs
    inner join totals on counted_pairs.sales_window = totals.sales_window
    inner join {{ ref('int_item_counts') }} as counts_a
        on counted_pairs.sales_window = counts_a.sales_window and counted_pairs.item_a = counts_a.item_number
    inner join {{ ref('int_item_counts') }} as counts_b
        on counted_pairs.sales_window = counts_b.sales_window and counted_pairs.item_b = counts_b.item_number
    inner join {{ ref('int_item_counts') }} as size_counts
        on
            counted_pairs.sales_window = size_counts.sales_window
            and counted_pairs.item_level = size_counts.item_level
            and size_counts.item_number = 0
    inner join pair_shares
        on counted_pairs.sales_window = pair_shares.sales_window and counted_pairs.item_level = pair_shares.item_level

),

tests as (

    {{ fisher_upper_tail(
        'pairs',
        [
            'item_level', 'sales_window', 'item_a', 'item_b', 'n_baskets', 'n_a', 'n_b', 'n_both', 'n_reverse',
            'expected_both', 'neutral_both'
        ]
    ) }}

),

{{ bh_q_values('tests', ['item_level', 'sales_window'], 'item_a, item_b') }}

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
    neutral_both,
    p_value,
    q_value
from q_values
