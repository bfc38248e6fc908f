{# Each kept pair of each segment with its counts among the segment's baskets, the Fisher test, its q-value over the segment's
   kept pairs, and the joint baskets that the segment's basket sizes, and sizes and months, lead to expect. #}
with segments as (

    select distinct segment_number, n_baskets
    from {{ ref('int_segment_customers') }}

),

pairs as (

    select
        segment_pairs.segment_number,
        segment_pairs.item_a,
        segment_pairs.item_b,
        segment_pairs.n_both,
        segment_pairs.global_lift,
        segments.n_baskets,
        counts_a.n_units as n_a,
        counts_b.n_units as n_b,
        {{ expected_by_size('counts_a', 'counts_b', 'size_counts') }} as expected_both,
        {{ expected_by_season('counts_a', 'counts_b') }} as season_both
    from {{ ref('int_segment_pairs') }} as segment_pairs
    inner join segments on segment_pairs.segment_number = segments.segment_number
    inner join {{ ref('int_segment_item_counts') }} as counts_a
        on segment_pairs.segment_number = counts_a.segment_number and segment_pairs.item_a = counts_a.item_number
    inner join {{ ref('int_segment_item_counts') }} as counts_b
        on segment_pairs.segment_number = counts_b.segment_number and segment_pairs.item_b = counts_b.item_number
    inner join {{ ref('int_segment_item_counts') }} as size_counts
        on segment_pairs.segment_number = size_counts.segment_number and size_counts.item_number = 0

),

tests as (

    {{ fisher_upper_tail(
        'pairs',
        ['segment_number', 'item_a', 'item_b', 'n_baskets', 'n_a', 'n_b', 'n_both', 'expected_both', 'season_both', 'global_lift']
    ) }}

),

{{ bh_q_values('tests', ['segment_number'], 'item_a, item_b') }}

select
    segment_number,
    item_a,
    item_b,
    n_baskets,
    n_a,
    n_b,
    n_both,
    expected_both,
    season_both,
    global_lift,
    p_value,
    q_value
from q_values
