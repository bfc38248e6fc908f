{% macro scheme__life_stage() %}{{ return(ref('life_stage')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_member_dates') }}

{# Its rules, shared with personas: macros/profile_schemes.sql. #}
{{ profile_scheme__life_stage(ref('int_profiles')) }}
