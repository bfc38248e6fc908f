with order_dates as (

    select
        min(day_on) as first_ordered_on,
        max(day_on) as last_ordered_on
    from {{ ref('int_order_days') }}

),

refresh_day as (

    select
        first_ordered_on,
        {% if as_of_setting() -%}
        cast('{{ as_of_setting() }}' as date) as as_of
        {%- else -%}
        {{ days_after('last_ordered_on', 1) }} as as_of
        {%- endif %}
    from order_dates

),

calendar as (

    {{ calendar_days('refresh_day', 'least(first_ordered_on, as_of)', 'as_of') }}

),

calendar_starts as (

    select calendar.day_on
    from calendar
    cross join refresh_day
    where
        calendar.day_on > refresh_day.first_ordered_on
        and calendar.day_on < refresh_day.as_of
        {% if var('history_grid') == 'month' -%}
        and extract(day from calendar.day_on) = 1
        {%- elif var('history_grid') == 'week' -%}
        and {{ iso_weekday('calendar.day_on') }} = 1
        {%- elif var('history_grid') != 'day' -%}
        {{ exceptions.raise_compiler_error("var history_grid: " ~ var('history_grid') ~ " is none of month, week, day") }}
        {%- endif %}

),

dates as (

    select as_of, 1 as is_current, 0 as is_outcome_start, 1 as is_history_grid, 0 as is_assignment_date
    from refresh_day
    union all
    select {{ days_after('as_of', -(var('outcome_days') | int)) }}, 0, 1, 0, 0
    from refresh_day
    union all
    select day_on, 0, 0, 1, 0
    from calendar_starts
    union all
    select distinct assignments.assigned_on, 0, 0, 0, 1
    from {{ ref('stg_assignments') }} as assignments
    cross join refresh_day
    where assignments.assigned_on <= refresh_day.as_of

)

select
    as_of,
    max(is_current) = 1 as is_current,
    max(is_outcome_start) = 1 as is_outcome_start,
    max(is_history_grid) = 1 as is_history_grid,
    max(is_assignment_date) = 1 as is_assignment_date
from dates
group by as_of
