{% macro scheme__location() %}{{ return(ref('location')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_member_dates') }}

{# Its rules, shared with personas: macros/profile_schemes.sql. #}
{{ profile_scheme__location(ref('int_profiles')) }}
