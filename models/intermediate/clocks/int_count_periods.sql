{# The periods that counts are kept by (macros/periods.sql), and what each is made from: the hashes of its days before the
   as-of date. An order that reaches into the period is in the hash of its days there, with all its lines. #}
with days as (

    {{ days_of_periods() | indent(4) }}

),

periods as (

    select
        period_on,
        count(*) as days,
        {{ hash_sum(row_hash(['day_on', 'made_from'])) }} as days_hash
    from days
    group by period_on

)

select
    period_on,
    {{ row_hash(['period_on', 'days', 'days_hash']) }} as made_from
from periods
