{% macro scheme__location() %}{{ return(ref('location')) }}{% endmacro %}
{{ config(**kept('int_member_dates', 'as_of')) }}

{# Its rules, shared with personas: macros/profile_schemes.sql. #}
{{ scheme_by_date(profile_scheme__location(ref('int_profiles')), 'int_member_dates') }}
