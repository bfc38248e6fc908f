{% macro scheme__job_to_be_done() %}{{ return(ref('job_to_be_done')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_fact_dates') }}

{{ segments_of_meanings('job_to_be_done') }}
