{% macro scheme__life_stage() %}{{ return(ref('life_stage')) }}{% endmacro %}
{{ config(**kept('int_member_dates', 'as_of')) }}

{# Its rules, shared with personas: macros/profile_schemes.sql. #}
{{ scheme_by_date(profile_scheme__life_stage(ref('int_profiles')), 'int_member_dates') }}
