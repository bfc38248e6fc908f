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
