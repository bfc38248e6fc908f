{% macro scheme__gender() %}{{ return(ref('gender')) }}{% endmacro %}

{# Its rules, shared with personas: macros/profile_schemes.sql. #}
{{ profile_scheme__gender(ref('int_profiles')) }}
