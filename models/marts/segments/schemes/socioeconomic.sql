{% macro scheme__socioeconomic() %}{{ return(ref('socioeconomic')) }}{% endmacro %}

{# Its rules, shared with personas: macros/profile_schemes.sql. #}
{{ profile_scheme__socioeconomic(ref('int_profiles')) }}
