{# What each as-of date's behaviour is made from: a hash of all days before it, and of who had ordered by then, and as what
   kind; and where the window of that behaviour begins. A line that comes late changes all dates after its day, and none before. #}
with day_hashes as (

    select
        dates.as_of,
        {{ hash_sum(row_hash(['days.day_on', 'days.made_from'])) }} as days_hash
    from {{ ref('int_as_of_dates') }} as dates
    inner join {{ ref('int_order_days') }} as days on days.day_on < dates.as_of
    group by dates.as_of

),

first_days as (

    select
        first_line_on,
        {{ hash_sum(row_hash(['customer_id', 'kind'])) }} as buyers_hash
    from {{ ref('int_customers') }}
    where first_line_on is not null
    group by first_line_on

),

buyer_hashes as (

    select
        dates.as_of,
        sum(first_days.buyers_hash) as buyers_hash
    from {{ ref('int_as_of_dates') }} as dates
    inner join first_days on first_days.first_line_on < dates.as_of
    group by dates.as_of

)

select
    dates.as_of,
    {{ days_after('dates.as_of', '-' ~ behaviour_window_days()) }} as window_start_on,
    {{ row_hash(['day_hashes.days_hash', 'buyer_hashes.buyers_hash']) }} as made_from
from {{ ref('int_as_of_dates') }} as dates
left join day_hashes on dates.as_of = day_hashes.as_of
left join buyer_hashes on dates.as_of = buyer_hashes.as_of
