{# What the models of sequences share: how days and items become bits. #}

{# Days of a word, and items of a word: a whole number holds 60 of them as bits. #}
{% macro word_size() %}{{ return(60) }}{% endmacro %}

{# Days within which the second item must follow the first. #}
{% macro sequence_reach() %}
    {%- set reach = var('sequence_days') | int -%}
    {%- if reach < 1 or reach > word_size() -%}
        {{ exceptions.raise_compiler_error("var sequence_days is " ~ reach ~ ": it must be 1 to " ~ word_size()) }}
    {%- endif -%}
    {{- return(reach) -}}
{% endmacro %}

{# Two common table expressions, the second one `pair_counts` (item_level, item_a, item_b, n_both): in how many rows of a relation
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

pair_counts as (

    {% for place in range(word_size()) %}
    select
        item_level,
        item_a,
        cast(word * {{ word_size() }} + {{ place }} as integer) as item_b,
        cast(n_{{ place }} as bigint) as n_both
    from word_counts
    where n_{{ place }} > 0
    {{ 'union all' if not loop.last }}
    {% endfor %}

)
{%- endmacro %}
