-- What the refresh describes, as one row, for the Python steps that run after the models, and for readers of the published
-- tables. Nothing here reads a clock.
with currencies as (

    select max(reporting_currency) as reporting_currency
    from {{ ref('base_order_currencies') }}

),

as_of_dates as (

    select
        max(case when is_current then as_of end) as as_of,
        max(case when is_outcome_start then as_of end) as outcome_start_on
    from {{ ref('int_as_of_dates') }}

)

select
    as_of_dates.as_of,
    as_of_dates.outcome_start_on,
    {{ days_after('as_of_dates.outcome_start_on', '-' ~ behaviour_window_days()) }} as past_start_on,
    cast({{ var('outcome_days') | int }} as integer) as outcome_days,
    cast({{ behaviour_window_days() }} as integer) as rfm_window_days,
    cast({{ var('min_members') | int }} as bigint) as min_members,
    cast({{ var('min_segment_members') | int }} as bigint) as min_segment_members,
    cast({{ var('min_cell_members') | int }} as bigint) as min_cell_members,
    cast({{ var('superficial_effect') | float }} as double) as superficial_effect,
    cast({{ var('least_dividend') }} as double) as least_dividend,
    cast({{ var('equivalence_margin') }} as double) as equivalence_margin,
    cast({{ var('mass_spend_share') }} as double) as mass_spend_share,
    cast({{ var('edge_spend_share') }} as double) as edge_spend_share,
    currencies.reporting_currency,
    cast(nullif('{{ demo_label() }}', '') as string) as data_label
from as_of_dates
cross join currencies
