{# How a text of the files is spelled, as spellings are compared: in lower case without outer blanks. #}
{% macro spelling_of(text) %}{{ return(lower_case(trimmed(text))) }}{% endmacro %}

{# The spellings of one attribute and what they mean, as a subselect (seed spellings): a row a spelling in
   lower case without outer blanks, as files are read. #}
{% macro meaning_of(attribute) -%}
(
    select {{ spelling_of('spelling') }} as spelling, min(meaning) as meaning
    from {{ ref('spellings') }}
    where attribute = '{{ attribute }}'
    group by {{ spelling_of('spelling') }}
)
{%- endmacro %}
