{% macro scheme__socioeconomic() %}{{ return(ref('socioeconomic')) }}{% endmacro %}
{{ config(**kept('int_member_dates', 'as_of')) }}

{# Its rules, shared with personas: macros/profile_schemes.sql. #}
{{ scheme_by_date(profile_scheme__socioeconomic(ref('int_profiles')), 'int_member_dates') }}
