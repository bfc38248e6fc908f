{% macro scheme__job_to_be_done() %}{{ return(ref('job_to_be_done')) }}{% endmacro %}
{{ config(**kept('int_fact_dates', 'as_of')) }}

{{ segments_of_meanings('job_to_be_done') }}
