{# Dates. Each returns an expression of type date or integer, the same on every engine. #}

{# `days` (an integer expression) after `day`. #}
{% macro days_after(day, days) %}{{ return(adapter.dispatch('days_after', 'segments_in_use')(day, days)) }}{% endmacro %}
{% macro duckdb__days_after(day, days) %}cast({{ day }} + cast({{ days }} as integer) as date){% endmacro %}
{% macro spark__days_after(day, days) %}date_add({{ day }}, cast({{ days }} as int)){% endmacro %}

{# Whole days from `earlier` to `later`. #}
{% macro days_between(earlier, later) %}{{ return(adapter.dispatch('days_between', 'segments_in_use')(earlier, later)) }}{% endmacro %}
{% macro duckdb__days_between(earlier, later) %}cast(date_diff('day', {{ earlier }}, {{ later }}) as integer){% endmacro %}
{% macro spark__days_between(earlier, later) %}cast(datediff({{ later }}, {{ earlier }}) as int){% endmacro %}

{# The first day of the month of a date; the same words on every engine. #}
{% macro month_start(day) %}cast(date_trunc('month', {{ day }}) as date){% endmacro %}

{# Weekday of a date, 1 = Monday … 7 = Sunday. #}
{% macro iso_weekday(day) %}{{ return(adapter.dispatch('iso_weekday', 'segments_in_use')(day)) }}{% endmacro %}
{% macro duckdb__iso_weekday(day) %}cast(isodow({{ day }}) as integer){% endmacro %}
{% macro spark__iso_weekday(day) %}cast(weekday({{ day }}) + 1 as int){% endmacro %}

{# Completed years from `born_on` to `day`. #}
{% macro years_between(born_on, day) -%}
    cast(
        extract(year from {{ day }}) - extract(year from {{ born_on }})
        - case
            when extract(month from {{ day }}) < extract(month from {{ born_on }})
                or (
                    extract(month from {{ day }}) = extract(month from {{ born_on }})
                    and extract(day from {{ day }}) < extract(day from {{ born_on }})
                ) then 1
            else 0
        end
    as integer)
{%- endmacro %}

{# A select of one column, day_on: every day from `first_day` to `last_day` (columns of `relation`, one row). #}
{% macro calendar_days(relation, first_day, last_day) %}{{ return(adapter.dispatch('calendar_days', 'segments_in_use')(relation, first_day, last_day)) }}{% endmacro %}
{% macro duckdb__calendar_days(relation, first_day, last_day) %}
    select cast(unnest(generate_series({{ first_day }}, {{ last_day }}, interval 1 day)) as date) as day_on
    from {{ relation }}
{% endmacro %}
{% macro spark__calendar_days(relation, first_day, last_day) %}
    select explode(sequence({{ first_day }}, {{ last_day }}, interval 1 day)) as day_on
    from {{ relation }}
{% endmacro %}
