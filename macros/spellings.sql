{# The spellings of one attribute and what they mean, as a subselect (seed spellings): a row a spelling in
   lower case without outer blanks, as files are read. #}
{% macro meaning_of(attribute) -%}
(
    select lower(trim(spelling)) as spelling, min(meaning) as meaning
    from {{ ref('spellings') }}
    where attribute = '{{ attribute }}'
    group by lower(trim(spelling))
)
{%- endmacro %}
