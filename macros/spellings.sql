{# The spellings of one profile attribute and what they mean, as a subselect (seed spellings). #}
{% macro meaning_of(attribute) -%}
(select spelling, meaning from {{ ref('spellings') }} where attribute = '{{ attribute }}')
{%- endmacro %}
