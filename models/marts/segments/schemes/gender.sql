{% macro scheme__gender() %}{{ return(ref('gender')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_member_dates') }}

{# Its rules, shared with personas: macros/profile_schemes.sql. #}
{{ profile_scheme__gender(ref('int_profiles')) }}
