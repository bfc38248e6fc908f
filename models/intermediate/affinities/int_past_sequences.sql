{{ config(**kept('int_closed_periods', 'open_on')) }}

{# Customers who bought item_a and, on a later day within sequence_days, item_b, where item_b was bought in a closed period:
   ordered pairs. #}
with periods as (

    {{ partitions_to_make('int_closed_periods', 'open_on') | indent(4) }}

),

customer_items as (

    select
        bits.item_level,
        bits.customer_number,
        bits.item_a,
        bits.word,
        bit_or(bits.items_after) as items_after
    from {{ ref('int_sequence_bits') }} as bits
    inner join periods on bits.period_on < periods.open_on
    group by bits.item_level, bits.customer_number, bits.item_a, bits.word

),

{{ sequence_counts('customer_items') }}

select
    pair_counts.item_level,
    pair_counts.item_a,
    pair_counts.item_b,
    pair_counts.n_both,
    periods.made_from,
    periods.open_on
from pair_counts
cross join periods
