{% macro scheme__job_to_be_done() %}{{ return(ref('job_to_be_done')) }}{% endmacro %}

{{ segments_of_meanings('job_to_be_done') }}
