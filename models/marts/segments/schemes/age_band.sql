{% macro scheme__age_band() %}{{ return(ref('age_band')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_member_dates') }}

{# Its rules, shared with personas: macros/profile_schemes.sql. #}
{{ profile_scheme__age_band(ref('int_profiles')) }}
