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

{# The first day of the period that a day is counted in: its year, or its month where the year is that of the as-of date.
   So a new day counts its month again, and few periods are added up. #}
{% macro sequence_period(day, as_of) -%}
    case
        when extract(year from {{ day }}) < extract(year from {{ as_of }}) then cast(date_trunc('year', {{ day }}) as date)
        else {{ month_start(day) }}
    end
{%- endmacro %}
