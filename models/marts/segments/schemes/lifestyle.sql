{% macro scheme__lifestyle() %}{{ return(ref('lifestyle')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_fact_dates', sized_by='int_customer_category_days') }}

{{ segments_of_meanings('lifestyle', kind='person') }}
