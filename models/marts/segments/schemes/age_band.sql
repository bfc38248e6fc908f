{% macro scheme__age_band() %}{{ return(ref('age_band')) }}{% endmacro %}

{# Its rules, shared with personas: macros/profile_schemes.sql. #}
{{ profile_scheme__age_band(ref('int_profiles')) }}
