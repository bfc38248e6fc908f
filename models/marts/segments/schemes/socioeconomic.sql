{% macro scheme__socioeconomic() %}{{ return(ref('socioeconomic')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_member_dates') }}

{# Its rules, shared with personas: macros/profile_schemes.sql. #}
{{ profile_scheme__socioeconomic(ref('int_profiles')) }}
