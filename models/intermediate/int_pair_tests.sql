{# Each kept unordered pair with its counts, the one-sided Fisher test, its q-value over the pairs of the level, and the
   number of joint baskets that the basket sizes alone would lead to expect. #}
with item_totals as (

    select
        item_level,
        item,
        cast(sum(n_baskets) as bigint) as n_baskets
    from {{ ref('int_item_counts') }}
    group by item_level, item

),

all_baskets as (

    select count(*) as n_baskets
    from {{ ref('int_baskets') }} as baskets
    inner join {{ ref('int_as_of_dates') }} as dates on dates.is_current and baskets.basket_on < dates.as_of

),

pairs as (

    select
        pairs.item_level,
        pairs.item_a,
        pairs.item_b,
        all_baskets.n_baskets,
        totals_a.n_baskets as n_a,
        totals_b.n_baskets as n_b,
        pairs.n_both
    from {{ ref('int_item_pairs') }} as pairs
    inner join item_totals as totals_a on pairs.item_level = totals_a.item_level and pairs.item_a = totals_a.item
    inner join item_totals as totals_b on pairs.item_level = totals_b.item_level and pairs.item_b = totals_b.item
    cross join all_baskets

),

decile_totals as (

    select
        item_level,
        decile,
        count(*) as n_baskets
    from {{ ref('int_basket_sizes') }}
    group by item_level, decile

),

expectations as (

    select
        pairs.item_level,
        pairs.item_a,
        pairs.item_b,
        {# Exact decimals: a sum of doubles would depend on the order of threads. #}
        cast(sum(cast(
            cast(counts_a.n_baskets as double) * counts_b.n_baskets / decile_totals.n_baskets as decimal(38, 18)
        )) as double) as expected_both
    from pairs
    inner join {{ ref('int_item_counts') }} as counts_a
        on pairs.item_level = counts_a.item_level and pairs.item_a = counts_a.item
    inner join {{ ref('int_item_counts') }} as counts_b
        on
            pairs.item_level = counts_b.item_level
            and pairs.item_b = counts_b.item
            and counts_a.decile = counts_b.decile
    inner join decile_totals
        on pairs.item_level = decile_totals.item_level and counts_a.decile = decile_totals.decile
    group by pairs.item_level, pairs.item_a, pairs.item_b

),

tests as (

    {{ fisher_upper_tail('pairs', ['item_level', 'item_a', 'item_b']) }}

),

ranked_tests as (

    select
        item_level,
        item_a,
        item_b,
        p_value,
        {{ bh_rank('p_value', 'item_level', 'item_a, item_b') }} as bh_rank,
        {{ bh_count('p_value', 'item_level') }} as bh_count
    from tests

),

q_values as (

    select
        item_level,
        item_a,
        item_b,
        p_value,
        {{ bh_q_value('p_value', 'item_level') }} as q_value
    from ranked_tests

)

select
    pairs.item_level,
    pairs.item_a,
    pairs.item_b,
    pairs.n_baskets,
    pairs.n_a,
    pairs.n_b,
    pairs.n_both,
    expectations.expected_both,
    q_values.p_value,
    q_values.q_value
from pairs
inner join expectations
    on
        pairs.item_level = expectations.item_level
        and pairs.item_a = expectations.item_a
        and pairs.item_b = expectations.item_b
inner join q_values
    on
        pairs.item_level = q_values.item_level
        and pairs.item_a = q_values.item_a
        and pairs.item_b = q_values.item_b
