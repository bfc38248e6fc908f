{% macro scheme__job_to_be_done() %}{{ return(ref('job_to_be_done')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_fact_dates', sized_by='int_customer_category_days') }}

{{ segments_of_meanings('job_to_be_done') }}
