{# What the models of sequences share: how items become bits. #}

{# Items of a word: a whole number holds 60 of them as bits. #}
{% macro word_size() %}{{ return(60) }}{% endmacro %}

{# Days within which the second item must follow the first; beyond two months everything follows everything. #}
{% macro sequence_reach() %}
    {%- set reach = var('sequence_days') | int -%}
    {%- if reach < 1 or reach > 60 -%}
        {{ exceptions.raise_compiler_error("var sequence_days is " ~ reach ~ ": it must be 1 to 60") }}
    {%- endif -%}
    {{- return(reach) -}}
{% endmacro %}

{# Common table expressions, the last one `pair_counts` (item_level, item_a, item_b, n_both): in how many rows of a relation
   with the columns of int_sequence_bits the bit of an item is set. #}
{% macro sequence_counts(relation) %}
{%- set levels = var('sequence_levels') or ['none'] -%}
word_counts as (

    {#- A level at a time: grouped by whole numbers only. #}
    {% for level in levels %}
    select
        '{{ level }}' as item_level,
        item_a,
        word
        {%- for place in range(word_size()) %},
        sum({{ bit_at('items_after', place) }}) as n_{{ place }}
        {%- endfor %}
    from {{ relation }}
    where item_level = '{{ level }}'
    group by item_a, word
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

{# One select of all places: Spark computes word_counts once for each that reads it. #}
place_counts as (

    {%- set counts = [] %}
    {%- for place in range(word_size()) %}{% do counts.append('n_' ~ place) %}{% endfor %}

    select
        item_level,
        item_a,
        word,
        {{ each_value(counts, 'place', 'customers') }}
    from word_counts

),

pair_counts as (

    select
        item_level,
        item_a,
        cast(word * {{ word_size() }} + place as integer) as item_b,
        cast(customers as bigint) as n_both
    from place_counts
    where customers > 0

)
{%- endmacro %}
