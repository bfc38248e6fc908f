{# Customers who bought item_a and, on a later day within sequence_days, item_b: ordered pairs, kept from min_pair_count
   customers on. #}
{%- set levels = var('sequence_levels') or ['none'] -%}

with word_counts as (

    {#- A level at a time: grouped by whole numbers only. #}
    {% for level in levels %}
    select
        '{{ level }}' as item_level,
        item_a,
        word
        {%- for place in range(word_size()) %},
        sum({{ bit_at('items_after', place) }}) as n_{{ place }}
        {%- endfor %}
    from (
        select
            customer_number,
            item_a,
            word,
            bit_or(items_after) as items_after
        from {{ ref('int_sequence_bits') }}
        where item_level = '{{ level }}'
        group by customer_number, item_a, word
    ) as customer_items
    group by item_a, word
    {{ 'union all' if not loop.last }}
    {% endfor %}

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
