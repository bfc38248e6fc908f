-- Each day that facts may be of: the axis of charts over time, where a month without purchases has its place, and MetricFlow's
-- time spine.
with bounds as (

    select
        {{ month_start('min(days.day_on)') }} as first_on,
        max(dates.as_of) as last_on
    from {{ ref('int_order_days') }} as days
    inner join {{ ref('int_current_date') }} as dates on days.day_on < dates.as_of

),

days as (

    {{ calendar_days('bounds', 'first_on', 'last_on') }}

)

select
    day_on,
    {{ days_after('day_on', '1 - ' ~ iso_weekday('day_on')) }} as week_on,
    {{ month_start('day_on') }} as month_on,
    {{ iso_weekday('day_on') }} as weekday
from days
