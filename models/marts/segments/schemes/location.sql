{% macro scheme__location() %}{{ return(ref('location')) }}{% endmacro %}

{# Its rules, shared with personas: macros/profile_schemes.sql. #}
{{ profile_scheme__location(ref('int_profiles')) }}
