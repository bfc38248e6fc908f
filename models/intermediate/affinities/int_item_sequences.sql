{# Customers who bought item_a and, on a later day within sequence_days, item_b: ordered pairs, kept from min_pair_count
   customers on. To those of the closed periods come the customers who did so in the last one for the first time. #}
with open_bits as (

    select
        bits.item_level,
        bits.customer_number,
        bits.item_a,
        bits.word,
        bits.items_after
    from {{ ref('int_sequence_bits') }} as bits
    inner join {{ ref('int_closed_periods') }} as periods on bits.period_on = periods.open_on

),

{# An item's number says its level. #}
earlier_bits as (

    select
        open_bits.customer_number,
        open_bits.item_a,
        open_bits.word,
        bit_or(bits.items_after) as items_after
    from open_bits
    inner join {{ ref('int_sequence_bits') }} as bits
        on
            open_bits.customer_number = bits.customer_number
            and open_bits.item_a = bits.item_a
            and open_bits.word = bits.word
    inner join {{ ref('int_closed_periods') }} as periods on bits.period_on < periods.open_on
    group by open_bits.customer_number, open_bits.item_a, open_bits.word

),

new_bits as (

    select
        open_bits.item_level,
        open_bits.customer_number,
        open_bits.item_a,
        open_bits.word,
        open_bits.items_after - coalesce(open_bits.items_after & earlier_bits.items_after, 0) as items_after
    from open_bits
    left join earlier_bits
        on
            open_bits.customer_number = earlier_bits.customer_number
            and open_bits.item_a = earlier_bits.item_a
            and open_bits.word = earlier_bits.word

),

{{ sequence_counts('new_bits') }},

sequences as (

    select item_level, item_a, item_b, sum(n_both) as n_both
    from (
        select item_level, item_a, item_b, n_both from {{ ref('int_past_sequences') }}
        union all
        select item_level, item_a, item_b, n_both from pair_counts
    ) as counts
    group by item_level, item_a, item_b

)

select
    sequences.item_level,
    sequences.item_a,
    sequences.item_b,
    cast(sequences.n_both as bigint) as n_both,
    cast(coalesce(reverse_sequences.n_both, 0) as bigint) as n_reverse
from sequences
left join sequences as reverse_sequences
    on sequences.item_a = reverse_sequences.item_b and sequences.item_b = reverse_sequences.item_a
where sequences.n_both >= {{ var('min_pair_count') }}
