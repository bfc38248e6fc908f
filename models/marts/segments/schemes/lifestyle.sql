{% macro scheme__lifestyle() %}{{ return(ref('lifestyle')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_fact_dates') }}

{{ segments_of_meanings('lifestyle', kind='person') }}
