{{ config(materialized='kept', by='open_on', inputs='int_closed_periods') }}

{# Customers who bought item_a and, on a later day within sequence_days, item_b, where item_b was bought in a closed period:
   ordered pairs. #}
with periods as (

    {# Its period is named here: what is added up is of earlier periods. #}
    select open_on from {{ missing(ref('int_closed_periods')) }}

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
    periods.open_on
from pair_counts
cross join periods
