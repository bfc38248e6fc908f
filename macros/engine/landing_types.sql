{# What the engines do differently when a landed text becomes a value. None of these raises an error: what cannot be typed
   becomes null, and staging refuses the row. Each takes a column's name or an SQL expression. #}

{# ---- decimal(18, 4): digits, a point, an exponent; no thousands separators, no NaN, no infinity ------------------------ #}

{% macro text_to_number(text) %}
    {{- return(adapter.dispatch('text_to_number', 'segments_in_use')(text)) -}}
{% endmacro %}

{# DuckDB also reads 1_000. Most texts have no blanks to take off, and are numbers as they are. #}
{% macro duckdb__text_to_number(text) -%}
    case
        when not contains({{ text }}, '_')
            then coalesce(try_cast({{ text }} as decimal(18, 4)), try_cast({{ trimmed(text) }} as decimal(18, 4)))
    end
{%- endmacro %}

{% macro spark__text_to_number(text) -%}
    case
        when {{ matches_whole(trimmed(text), '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?') }}
            then try_cast({{ trimmed(text) }} as decimal(18, 4))
    end
{%- endmacro %}

{# ---- decimal(18, 10): the same, for rates, of which one unit may be a ten-thousandth of another -------------------------- #}

{% macro text_to_rate(text) %}
    {{- return(adapter.dispatch('text_to_rate', 'segments_in_use')(text)) -}}
{% endmacro %}

{% macro duckdb__text_to_rate(text) -%}
    case
        when not contains({{ text }}, '_')
            then coalesce(try_cast({{ text }} as decimal(18, 10)), try_cast({{ trimmed(text) }} as decimal(18, 10)))
    end
{%- endmacro %}

{% macro spark__text_to_rate(text) -%}
    case
        when {{ matches_whole(trimmed(text), '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?') }}
            then try_cast({{ trimmed(text) }} as decimal(18, 10))
    end
{%- endmacro %}

{# ---- bigint; 3.0 is 3, and 3.5 is no whole number ------------------------------------------------------------------- #}

{% macro text_to_integer(text) -%}
    case
        when {{ matches_whole(trimmed(text), '[+-]?[0-9]{1,18}([.]0*)?') }}
            then try_cast(split_part({{ trimmed(text) }}, '.', 1) as bigint)
    end
{%- endmacro %}

{# ---- boolean; 1.0000000000 is how a decimal of a database is written --------------------------------------------------- #}

{% macro text_to_flag(text) -%}
    case
        when {{ matches_whole('lower(' ~ trimmed(text) ~ ')', '(true|t|yes|y|1([.]0*)?)') }} then true
        when {{ matches_whole('lower(' ~ trimmed(text) ~ ')', '(false|f|no|n|0([.]0*)?)') }} then false
    end
{%- endmacro %}

{# ---- timestamp in UTC: ISO 8601, with or without an offset ------------------------------------------------------------
   The offset is taken off by hand: DuckDB 1.5.6 reads '2026-01-01 10:00:00+02' as 10:00 and drops the offset. #}

{% macro text_to_timestamp(text) %}
    {{- return(adapter.dispatch('text_to_timestamp', 'segments_in_use')(text)) -}}
{% endmacro %}

{% macro iso_date_pattern() %}
    {{- return('[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}') -}}
{% endmacro %}

{# One group: everything but the offset. #}
{% macro iso_naive_pattern() %}
    {{- return(iso_date_pattern() ~ '([T ]([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?)?') -}}
{% endmacro %}

{% macro iso_offset_pattern() %}
    {{- return(' ?([Zz]|UTC|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)') -}}
{% endmacro %}

{% macro duckdb__text_to_timestamp(text) -%}
    {%- set naive = trimmed(text) -%}
    {%- set stem = "regexp_extract(" ~ naive ~ ", '^(" ~ iso_naive_pattern() ~ ")" ~ iso_offset_pattern() ~ "$', 1)" -%}
    {%- set offset = "regexp_extract(" ~ naive ~ ", '([+-][0-9]{2}):?([0-9]{2})?$', GROUP)" -%}
    case
        when regexp_full_match({{ naive }}, '{{ iso_naive_pattern() }}') then try_cast({{ naive }} as timestamp)
        when {{ stem }} like '%:%' then
            try_cast({{ stem }} as timestamp) - to_minutes(
                case
                    when regexp_matches({{ naive }}, '[+-][0-9]{2}:?[0-9]{2}$|[+-][0-9]{2}$') then
                        cast({{ offset | replace('GROUP', '1') }} as integer) * 60
                        + coalesce(try_cast({{ offset | replace('GROUP', '2') }} as integer), 0)
                        * case when {{ offset | replace('GROUP', '1') }} like '-%' then -1 else 1 end
                    else 0
                end
            )
    end
{%- endmacro %}

{% macro spark__text_to_timestamp(text) -%}
    {# The session's zone is UTC (profiles.yml); Spark reads the offset itself, but only behind seconds, and drops what is finer than
       microseconds. #}
    case
        when {{ matches_whole(trimmed(text), iso_naive_pattern() ~ '(' ~ iso_offset_pattern() ~ ')?') }}
            then try_cast(
                regexp_replace(replace(upper({{ trimmed(text) }}), 'UTC', 'Z'), '^([^:]*:[0-9][0-9])( ?[Z+-])', '$1:00$2') as timestamp
            )
    end
{%- endmacro %}

{# ---- timestamp in UTC, where a date without a time of day is the beginning of that day in the stores' time zone: it is a local
   date already, and no zone may move it. ISO dates have 8 to 10 characters, and whatever has a time has more ------------- #}

{% macro text_to_moment(text) -%}
    case
        when {{ is_day_text(text) }} then
            case
                when {{ matches_whole(trimmed(text), iso_date_pattern()) }}
                    then {{ utc_timestamp('try_cast(' ~ trimmed(text) ~ ' as timestamp)') }}
            end
        else {{ text_to_timestamp(text) }}
    end
{%- endmacro %}

{% macro is_day_text(text) %}length({{ trimmed(text) }}) <= 10{% endmacro %}

{# ---- date: an ISO date, or the date part of a timestamp as written; a timestamp with an offset is turned into the stores'
   time first, because such a timestamp is some midnight in another zone ------------------------------------------------- #}

{% macro text_to_date(text) -%}
    case
        when {{ matches_whole(trimmed(text), iso_naive_pattern()) }}
            then cast({{ text_to_timestamp(text) }} as date)
        else cast({{ local_timestamp(text_to_timestamp(text)) }} as date)
    end
{%- endmacro %}

{% macro matches_whole(text, pattern) %}
    {{- return(adapter.dispatch('matches_whole', 'segments_in_use')(text, pattern)) -}}
{% endmacro %}

{% macro duckdb__matches_whole(text, pattern) -%}
    regexp_full_match({{ text }}, '{{ pattern }}')
{%- endmacro %}

{# For Java $ is also before a line break at the end. #}
{% macro spark__matches_whole(text, pattern) -%}
    {{ text }} rlike '^{{ pattern }}\\z'
{%- endmacro %}

{# ---- local time of the stores, from a timestamp in UTC ---------------------------------------------------------------- #}

{% macro local_timestamp(column) %}
    {{- return(adapter.dispatch('local_timestamp', 'segments_in_use')(column)) -}}
{% endmacro %}

{% macro duckdb__local_timestamp(column) -%}
    timezone('{{ store_timezone() }}', timezone('UTC', {{ column }}))
{%- endmacro %}

{% macro spark__local_timestamp(column) -%}
    from_utc_timestamp({{ column }}, '{{ store_timezone() }}')
{%- endmacro %}

{# ---- and back: the moment in UTC of a local time of the stores. An hour that the change of clocks leaves out is the one after it ------ #}

{% macro utc_timestamp(column) %}
    {{- return(adapter.dispatch('utc_timestamp', 'segments_in_use')(column)) -}}
{% endmacro %}

{% macro duckdb__utc_timestamp(column) -%}
    timezone('UTC', timezone('{{ store_timezone() }}', {{ column }}))
{%- endmacro %}

{% macro spark__utc_timestamp(column) -%}
    to_utc_timestamp({{ column }}, '{{ store_timezone() }}')
{%- endmacro %}
