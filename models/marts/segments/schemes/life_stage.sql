{% macro scheme__life_stage() %}{{ return(ref('life_stage')) }}{% endmacro %}

{# Its rules, shared with personas: macros/profile_schemes.sql. #}
{{ profile_scheme__life_stage(ref('int_profiles')) }}
