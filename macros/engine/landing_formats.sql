{# Texts that are not written as the contract writes them, by the var landing_formats: each macro turns a text of the format that
   is set into the contract's, and leaves every other text as it is. So ISO dates and plain numbers stay readable, and what is
   neither is refused or listed in the words of the file. Regular expressions of both engines: no lookahead, [0-9] for digits. #}

{# ---- the var ----------------------------------------------------------------------------------------------------------- #}

{% macro landing_settings() %}
    {{- return({
        'dates': [
            'ISO', 'YYYYMMDD', 'YYYY/MM/DD', 'YYYY.MM.DD', 'DD/MM/YYYY', 'MM/DD/YYYY', 'DD.MM.YYYY', 'DD-MM-YYYY', 'MM-DD-YYYY',
            'DD/MM/YY', 'MM/DD/YY', 'DD.MM.YY', 'DD-MM-YY', 'MM-DD-YY', 'epoch_seconds', 'epoch_milliseconds', 'excel'
        ],
        'numbers': ['plain', 'decimal_point', 'decimal_comma'],
        'ids': ['without_decimals', 'without_leading_zeros', 'lower', 'upper']
    }) -}}
{% endmacro %}

{# What is set for a column, as a list (of ids there may be several); empty where nothing is. The setting of a column goes before
   the table's. Values that are not known stop the compilation, for those who start dbt by hand; a refresh has checked the whole
   var before (orchestration/landing/formats.py). #}
{% macro landing_format(table_name, column) %}
    {%- set setting = {'date': 'dates', 'timestamp': 'dates', 'number': 'numbers', 'rate': 'numbers', 'integer': 'numbers', 'text': 'ids'}.get(column.type) -%}
    {%- set chosen = ((var('landing_formats', {}) or {}).get(table_name) or {}).get(setting) -%}
    {%- if chosen is mapping -%}{%- set chosen = chosen.get(column.name) -%}
    {%- elif setting == 'ids' or column['values'] -%}{%- set chosen = none -%}{%- endif -%}
    {%- set choices = ([chosen] if chosen is string else chosen) or [] -%}
    {%- for choice in choices if choice not in landing_settings()[setting] -%}
        {{- exceptions.raise_compiler_error(
            'landing_formats.' ~ table_name ~ '.' ~ setting ~ ': ' ~ choice ~ ' is not known; one of '
            ~ landing_settings()[setting] | join(', ') ~ ' is needed'
        ) -}}
    {%- endfor -%}
    {{- return(choices | reject('in', ['ISO', 'plain']) | list) -}}
{% endmacro %}

{# What turns a landed text of the column into the contract's, one step after the other: each reads what the one before made of it,
   as a column, because an expression in an expression would be computed once for each place where it stands. #}
{% macro reading_steps(column) %}
    {%- set steps = [] -%}
    {%- for format in column.formats -%}
        {%- do steps.append(format) -%}
        {%- if column.type in ('date', 'timestamp') and format not in ('epoch_seconds', 'epoch_milliseconds', 'excel') -%}
            {%- do steps.append('clock') -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(steps) -}}
{% endmacro %}

{% macro reading_step(text, step, column) -%}
    {%- if step == 'clock' -%} {{ clock_of_24_hours(text) }}
    {%- elif step in ('epoch_seconds', 'epoch_milliseconds', 'excel') -%} {{ number_as_iso_text(text, step) }}
    {%- elif column.type in ('date', 'timestamp') -%} {{ reordered_date(text, step) }}
    {%- elif column.type in ('number', 'rate', 'integer') -%} {{ as_plain_number(text, step, column.may_have_sign) }}
    {%- else -%} {{ as_normal_id(text, step) }}
    {%- endif -%}
{%- endmacro %}

{# ---- dates ------------------------------------------------------------------------------------------------------------- #}

{# Year, month and day in ISO's order, and whatever follows the date. Two digits of a year are 1969 to 2068, as POSIX reads them. #}
{% macro reordered_date(text, format) -%}
    {%- set separator = modules.re.sub('[A-Z]', '', format)[:1] -%}
    {%- set bare = trimmed(text) -%}
    {%- if not separator -%}
        {#- With its time of day as compact as the date, or as ISO writes it. -#}
        {%- set day = '([0-9]{4})([0-9]{2})([0-9]{2})([^0-9].*)?' -%}
        {#- Before the other: the T of a compact time follows the date too. -#}
        {%- set moment = '([0-9]{4})([0-9]{2})([0-9]{2})[T ]?([0-9]{2})([0-9]{2})([0-9]{2})?([^0-9].*)?' -%}
        case
            when {{ matches_whole(bare, moment) }} then
                {{ iso_date_of_groups(bare, moment, 1, 2, 3) }} || ' ' || {{ group_of(bare, moment, 4) }}
                || ':' || {{ group_of(bare, moment, 5) }}
                || case when {{ group_of(bare, moment, 6) }} <> '' then ':' else '' end || {{ group_of(bare, moment, 6) }}
                || {{ group_of(bare, moment, 7) }}
            when {{ matches_whole(bare, day) }} then
                {{ iso_date_of_groups(bare, day, 1, 2, 3) }} || replace({{ group_of(bare, day, 4) }}, ',', ' ')
            else {{ text }}
        end
    {%- else -%}
        {%- set fields = format.split(separator) -%}
        {%- set patterns = {'YYYY': '([0-9]{4})', 'YY': '([0-9]{2})', 'MM': '([0-9]{1,2})', 'DD': '([0-9]{1,2})'} -%}
        {%- set parts = [] -%}
        {%- for each in fields -%}{%- do parts.append(patterns[each]) -%}{%- endfor -%}
        {%- set pattern = parts | join('[' ~ separator ~ ']') ~ '([^0-9].*)?' -%}
        {%- set year_at = (fields.index('YYYY') if 'YYYY' in fields else fields.index('YY')) + 1 -%}
        case
            when {{ matches_whole(bare, pattern) }} then
                {% if 'YY' in fields -%}
                case when {{ group_of(bare, pattern, year_at) }} <= '68' then '20' else '19' end ||
                {% endif -%}
                {{ iso_date_of_groups(bare, pattern, year_at, fields.index('MM') + 1, fields.index('DD') + 1) }}
                || replace({{ group_of(bare, pattern, 4) }}, ',', ' ')
            else {{ text }}
        end
    {%- endif -%}
{%- endmacro %}

{% macro iso_date_of_groups(text, pattern, year, month, day) -%}
    {{ group_of(text, pattern, year) }} || '-' || {{ group_of(text, pattern, month) }} || '-' || {{ group_of(text, pattern, day) }}
{%- endmacro %}

{# 3:05 PM as 15:05, behind a date in ISO's order (12 AM is midnight), and one blank between the two. #}
{% macro clock_of_24_hours(text) -%}
    {%- set moment = '([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})[T ]+([0-9]{1,2}:.*)' -%}
    {%- set half_day = '([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})[T ]+(0?[1-9]|1[0-2]):([0-5][0-9])(:[0-5][0-9])? ?([AaPp])[.]?[Mm][.]?' -%}
    {%- set hour = 'cast(' ~ group_of(text, half_day, 2) ~ ' as integer) % 12 + case when lower('
        ~ group_of(text, half_day, 5) ~ ") = 'p' then 12 else 0 end" -%}
    case
        when {{ matches_whole(text, half_day) }} then
            {{ group_of(text, half_day, 1) }} || ' ' || {{ text_of(hour) }}
            || ':' || {{ group_of(text, half_day, 3) }} || {{ group_of(text, half_day, 4) }}
        when {{ matches_whole(text, moment) }} then {{ group_of(text, moment, 1) }} || ' ' || {{ group_of(text, moment, 2) }}
        else {{ text }}
    end
{%- endmacro %}

{# Seconds or milliseconds since 1970 in UTC; or days since 1899-12-30, as spreadsheets count, where a whole number is a date
   without a time of day. Seconds are rounded to the nearest: a spreadsheet's fraction of a day is never exact. #}
{% macro number_as_iso_text(text, format) -%}
    {%- set number = 'try_cast(' ~ trimmed(text) ~ ' as decimal(30, 12))' -%}
    {%- set is_number = matches_whole(trimmed(text), '-?[0-9]{1,15}([.][0-9]*)?([eE][+]?[0-9]{1,2})?') -%}
    case
        {%- if format == 'excel' %}
        when {{ is_number }} and {{ number }} between 1 and 2958465 and {{ number }} = floor({{ number }})
            then {{ text_of(days_after("cast('1899-12-30' as date)", 'cast(' ~ number ~ ' as integer)')) }}
        when {{ is_number }} and {{ number }} between 1 and 2958466
            then {{ text_of(moment_of_seconds('cast(round((' ~ number ~ ' - 25569) * 86400) as bigint)')) }}
        {%- else %}
        {%- set seconds = number ~ (' / 1000' if format == 'epoch_milliseconds' else '') %}
        when {{ is_number }} and abs({{ seconds }}) < 253402300800
            then {{ text_of(moment_of_seconds('cast(floor(' ~ seconds ~ ') as bigint)')) }} || '+00:00'
        {%- endif %}
        else {{ text }}
    end
{%- endmacro %}

{# ---- numbers ----------------------------------------------------------------------------------------------------------- #}

{# Without thousands separators, with a point before decimals. Groups are of three digits, with one kind of separator, and begin
   with no zero, so that 0.500 stays a half; of one that could be read in two ways (1.488), the setting's way counts. A currency's sign is passed over
   where the table has no column that says the currency. #}
{% macro as_plain_number(text, format, may_have_sign) -%}
    {#- Apostrophes and the blanks that no line breaks at stand between groups of digits, like a blank. -#}
    {%- set plain = 'translate(' ~ trimmed(text) ~ ", chr(39) || '’\u00a0\u202f', '    ')" -%}
    {%- set sign = ' *[$€£¥]? *' if may_have_sign else '' -%}
    {%- set outside = sign or ' *' -%}
    {%- set group = '[.]' if format == 'decimal_comma' else '[,]' -%}
    {%- set point = '[,]' if format == 'decimal_comma' else '[.]' -%}
    {%- set pattern = outside ~ '([+-]?)' ~ sign ~ '([0-9]+|[1-9][0-9]{0,2}(' ~ group
        ~ '[0-9]{3})+|[1-9][0-9]{0,2}( [0-9]{3})+)(' ~ point ~ '([0-9]*))?' ~ outside -%}
    case
        when {{ matches_whole(plain, pattern) }} then
            {{ group_of(plain, pattern, 1) }} || replace(replace({{ group_of(plain, pattern, 2) }}, '{{ group[1] }}', ''), ' ', '')
            || '.' || {{ group_of(plain, pattern, 6) }}
        else {{ text }}
    end
{%- endmacro %}

{# ---- ids --------------------------------------------------------------------------------------------------------------- #}

{% macro as_normal_id(text, format) -%}
    {%- if format == 'lower' -%} {{ lower_case(text) }}
    {%- elif format == 'upper' -%} upper({{ text }})
    {%- elif format == 'without_decimals' -%}
    case when {{ matches_whole(text, '[0-9]+[.]0*') }} then split_part({{ text }}, '.', 1) else {{ text }} end
    {%- else -%}
    case when {{ matches_whole(text, '0+') }} then '0' else regexp_replace({{ text }}, '^0+', '') end
    {%- endif -%}
{%- endmacro %}

{# ---- what the engines do differently ------------------------------------------------------------------------------------- #}

{# `text_of`, because `text` is the name of an argument here. #}
{% macro text_of(value) %}{{ return(text(value)) }}{% endmacro %}

{# A group of the pattern in a text that holds nothing else; '' where the group is not there. #}
{% macro group_of(text, pattern, group) %}{{ return(adapter.dispatch('group_of', 'segments_in_use')(text, pattern, group)) }}{% endmacro %}
{% macro duckdb__group_of(text, pattern, group) %}regexp_extract({{ text }}, '^{{ pattern }}$', {{ group }}){% endmacro %}
{% macro spark__group_of(text, pattern, group) %}regexp_extract({{ text }}, '^{{ pattern }}\\z', {{ group }}){% endmacro %}

{# A timestamp from whole seconds since 1970 in UTC. #}
{% macro moment_of_seconds(seconds) %}{{ return(adapter.dispatch('moment_of_seconds', 'segments_in_use')(seconds)) }}{% endmacro %}
{% macro duckdb__moment_of_seconds(seconds) %}make_timestamp({{ seconds }} * 1000000){% endmacro %}
{% macro spark__moment_of_seconds(seconds) %}timestamp_seconds({{ seconds }}){% endmacro %}
