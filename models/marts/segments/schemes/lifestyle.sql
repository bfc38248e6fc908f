{% macro scheme__lifestyle() %}{{ return(ref('lifestyle')) }}{% endmacro %}
{{ config(**kept('int_fact_dates', 'as_of')) }}

{{ segments_of_meanings('lifestyle', kind='person') }}
