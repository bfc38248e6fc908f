{# Customers who bought item_a and, on a later day within sequence_days, item_b: ordered pairs, kept from min_pair_count
   customers on. #}
with customer_items as (

    select
        item_level,
        customer_number,
        item_a,
        word,
        bit_or(items_after) as items_after
    from {{ ref('int_sequence_bits') }}
    group by item_level, customer_number, item_a, word

),

word_counts as (

    select
        item_level,
        item_a,
        word
        {%- for place in range(word_size()) %},
        sum({{ bit_at('items_after', place) }}) as n_{{ place }}
        {%- endfor %}
    from customer_items
    group by item_level, item_a, word

),

pair_counts as (

    {% for place in range(word_size()) %}
    select item_level, item_a, word * {{ word_size() }} + {{ place }} as item_b, cast(n_{{ place }} as bigint) as n_both
    from word_counts
    where n_{{ place }} > 0
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    pair_counts.item_level,
    pair_counts.item_a,
    cast(pair_counts.item_b as integer) as item_b,
    pair_counts.n_both,
    coalesce(reverse_counts.n_both, 0) as n_reverse
from pair_counts
left join pair_counts as reverse_counts
    on pair_counts.item_a = reverse_counts.item_b and pair_counts.item_b = reverse_counts.item_a
where pair_counts.n_both >= {{ var('min_pair_count') }}
