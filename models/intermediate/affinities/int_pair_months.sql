{# Each month with order lines, and what its pairs are made from: the hashes of its days. An order that reaches into the month
   is in the hash of its days there, with all its lines. #}
with months as (

    select
        {{ month_start('day_on') }} as month_on,
        count(*) as days,
        {{ hash_sum('made_from') }} as days_hash
    from {{ ref('int_order_days') }}
    group by {{ month_start('day_on') }}

)

select
    month_on,
    {{ row_hash(['month_on', 'days', 'days_hash']) }} as made_from
from months
