{# Text. #}

{# Any value as text. #}
{% macro text(value) %}cast({{ value }} as string){% endmacro %}

{# A text without blanks at its ends, whatever made them: those that landing takes for nothing (BLANKS of orchestration/landing/land.py)
   and every other blank of Unicode. The engines' own trim knows fewer, and not the same ones. Most texts begin and end with a
   visible character, and DuckDB needs five times as long to look for a list of blanks as to see that. #}
{% macro trimmed(text) -%}
    case
        when {{ text }} between '!' and '~' and substr({{ text }}, -1) between '!' and '~' then {{ text }}
        else trim(both {{ outer_blanks() }} from {{ text }})
    end
{%- endmacro %}
{% macro outer_blanks() -%}
    chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || '{{ " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\ufeff" }}'
{%- endmacro %}

{# A text in lower case, letter by letter: Spark makes two letters of the Turkish İ, and another one of a Greek Σ at the end of a word. #}
{% macro lower_case(text) %}{{ return(adapter.dispatch('lower_case', 'segments_in_use')(text)) }}{% endmacro %}
{% macro duckdb__lower_case(text) %}lower({{ text }}){% endmacro %}
{% macro spark__lower_case(text) %}lower(translate({{ text }}, 'İΣ', 'iσ')){% endmacro %}

{# Segment id of a label: lower case, runs of anything but letters and digits (of any script) as one underscore. #}
{% macro segment_id(label) %}{{ return(adapter.dispatch('segment_id', 'segments_in_use')(label)) }}{% endmacro %}
{% macro duckdb__segment_id(label) %}regexp_replace({{ lower_case(label) }}, '[^\p{L}\p{N}]+', '_', 'g'){% endmacro %}
{% macro spark__segment_id(label) %}regexp_replace({{ lower_case(label) }}, '[^\\p{L}\\p{N}]+', '_'){% endmacro %}

{# A text in which every letter is an a and every digit a 9. #}
{% macro masked_text(value) %}{{ return(adapter.dispatch('masked_text', 'segments_in_use')(value)) }}{% endmacro %}
{% macro duckdb__masked_text(value) %}regexp_replace(regexp_replace({{ value }}, '\p{L}', 'a', 'g'), '\p{N}', '9', 'g'){% endmacro %}
{% macro spark__masked_text(value) %}regexp_replace(regexp_replace({{ value }}, '\\p{L}', 'a'), '\\p{N}', '9'){% endmacro %}

{# A text in lower case with a capital at the beginning of each word between blanks. #}
{% macro title_case(value) %}{{ return(adapter.dispatch('title_case', 'segments_in_use')(value)) }}{% endmacro %}
{% macro duckdb__title_case(value) -%}
    array_to_string(list_transform(string_split({{ value }}, ' '), lambda word: upper(word[1]) || word[2:]), ' ')
{%- endmacro %}
{% macro spark__title_case(value) %}initcap({{ value }}){% endmacro %}

{# Leading whole number of a text such as 5+, else null. #}
{% macro leading_number(value) -%}
    try_cast({{ adapter.dispatch('leading_digits', 'segments_in_use')(value) }} as integer)
{%- endmacro %}
{% macro duckdb__leading_digits(value) %}nullif(regexp_extract({{ value }}, '^[0-9]+', 0), ''){% endmacro %}
{% macro spark__leading_digits(value) %}nullif(regexp_extract({{ value }}, '^[0-9]+', 0), ''){% endmacro %}

{# A range of whole numbers of something that is counted, in words: 1 day, 12 days, 12 to 30 days. #}
{% macro counted_range(least, most, unit) -%}
    case
        when {{ most }} = 1 then '1 {{ unit }}'
        when {{ least }} = {{ most }} then {{ text(most) }} || ' {{ unit }}s'
        else {{ text(least) }} || ' to ' || {{ text(most) }} || ' {{ unit }}s'
    end
{%- endmacro %}

{# JSON text of an object: `pairs` is a list of [key, expression, kind]; kind is text, number (as it is) or decimal (4 places).
   Written by hand so that both engines print the same characters; tabs, line ends and other control characters in a
   text become blanks. #}
{% macro json_object_text(pairs) -%}
    '{' ||
    {%- for key, value, kind in pairs %}
    '{{ ", " if not loop.first }}"{{ key }}": ' || coalesce(
        {%- if kind == 'text' -%}
        '"' || replace(
            replace({{ replace_all(text(value), '[\\x00-\\x1f]', ' ') }}, chr(92), chr(92) || chr(92)),
            chr(34), chr(92) || chr(34)
        ) || '"'
        {%- elif kind == 'decimal' -%}
        {{ text(rounded_decimal(value, 4)) }}
        {%- else -%}
        {{ text(value) }}
        {%- endif -%}
    , 'null') ||
    {%- endfor %}
    '}'
{%- endmacro %}

{# A text with every match of a regular expression replaced; `pattern` as it is written, without escapes of SQL. #}
{% macro replace_all(text, pattern, by) %}{{ return(adapter.dispatch('replace_all', 'segments_in_use')(text, pattern, by)) }}{% endmacro %}
{% macro duckdb__replace_all(text, pattern, by) %}regexp_replace({{ text }}, '{{ pattern }}', '{{ by }}', 'g'){% endmacro %}
{% macro spark__replace_all(text, pattern, by) %}regexp_replace({{ text }}, '{{ pattern | replace('\\', '\\\\') }}', '{{ by }}'){% endmacro %}
