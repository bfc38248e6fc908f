-- What the refresh describes, as one row, for the Python steps that run after the models. Nothing here reads a clock.
with as_of_dates as (

    select
        max(case when is_current then as_of end) as as_of,
        max(case when is_outcome_start then as_of end) as outcome_start_on
    from {{ ref('int_as_of_dates') }}

)

select
    as_of,
    outcome_start_on,
    {{ days_after('outcome_start_on', -(var('rfm_window_days') | int)) }} as past_start_on,
    cast({{ var('outcome_days') | int }} as integer) as outcome_days,
    cast({{ var('rfm_window_days') | int }} as integer) as rfm_window_days,
    cast({{ var('min_members') | int }} as bigint) as min_members,
    cast({{ var('min_segment_members') | int }} as bigint) as min_segment_members,
    cast({{ var('superficial_effect') | float }} as double) as superficial_effect
from as_of_dates
