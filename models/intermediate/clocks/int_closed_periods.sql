{# The periods before the last one (macros/periods.sql), in one row: where the last one begins, and what is counted of the closed
   ones is made from. A new day changes the last period alone, so that it is added to what is kept of the others. #}
with periods as (

    select
        periods.period_on,
        periods.made_from,
        sequences.made_from as sequences_made_from,
        max(periods.period_on) over () as open_on
    from {{ ref('int_count_periods') }} as periods
    inner join {{ ref('int_sequence_periods') }} as sequences on periods.period_on = sequences.period_on

),

hashes as (

    select
        open_on,
        count(*) as periods,
        {{ hash_sum('case when period_on < open_on then ' ~ row_hash(['period_on', 'made_from', 'sequences_made_from']) ~ ' end') }}
            as periods_hash
    from periods
    group by open_on

)

select
    open_on,
    {{ row_hash(['open_on', 'periods', 'periods_hash']) }} as made_from
from hashes
