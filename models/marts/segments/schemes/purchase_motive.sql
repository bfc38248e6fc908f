{% macro scheme__purchase_motive() %}{{ return(ref('purchase_motive')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_fact_dates', sized_by='int_customer_category_days') }}

{{ segments_of_meanings('purchase_motive', kind='person') }}
