{# Common table expressions, the last one `q_values`: each pair with its counts, the one-sided Fisher test, its q-value over the
   pairs of the level and window, and the joint units that sizes alone (expected_both), and sizes and months (season_both), would lead to expect.

   Of the relations before it, `counted_pairs` has item_level, sales_window, item_a, item_b, n_both and n_reverse; `totals` has
   item_level, sales_window and n_baskets; `counts`, named by the argument, is of the shape of int_item_counts, its items
   called as those of the pairs. #}
{% macro pair_tests(counts) %}
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
        {{ expected_by_season('counts_a', 'counts_b') }} as season_both,
        {{ expected_by_season('counts_a', 'counts_b', 'season_neutrals') }} as neutral_both
    from counted_pairs
    inner join totals
        on counted_pairs.sales_window = totals.sales_window and counted_pairs.item_level = totals.item_level
    inner join {{ counts }} as counts_a
        on counted_pairs.sales_window = counts_a.sales_window and counted_pairs.item_a = counts_a.item_number
    inner join {{ counts }} as counts_b
        on counted_pairs.sales_window = counts_b.sales_window and counted_pairs.item_b = counts_b.item_number
    inner join {{ counts }} as size_counts
        on
            counted_pairs.sales_window = size_counts.sales_window
            and counted_pairs.item_level = size_counts.item_level
            and size_counts.item_number = 0

),

tests as (

    {{ fisher_upper_tail(
        'pairs',
        [
            'item_level', 'sales_window', 'item_a', 'item_b', 'n_baskets', 'n_a', 'n_b', 'n_both', 'n_reverse',
            'expected_both', 'season_both', 'neutral_both'
        ]
    ) }}

),

{{ bh_q_values('tests', ['item_level', 'sales_window'], 'item_a, item_b') }}
{%- endmacro %}
