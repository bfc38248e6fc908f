{# By which rate the amounts of a currency are converted on each local day that has lines in it: the latest that is valid by then;
   null where there is none. Nothing where all lines are in the reporting currency. #}
with foreign_days as (

    select
        spelling,
        ordered_on,
        currency,
        lines
    from {{ ref('base_order_currencies') }}
    where currency <> reporting_currency

),

{# Two spellings of a currency are one. #}
rates as (

    select
        upper({{ trimmed('currency') }}) as currency,
        valid_from,
        max(rate) as rate
    from {{ ref('stg_exchange_rates') }}
    where rate > 0
    group by upper({{ trimmed('currency') }}), valid_from

),

rate_spans as (

    select
        currency,
        valid_from,
        lead(valid_from) over (partition by currency order by valid_from) as valid_until,
        rate
    from rates

)

select
    foreign_days.spelling,
    foreign_days.ordered_on,
    foreign_days.currency,
    rate_spans.rate,
    foreign_days.lines
from foreign_days
left join rate_spans
    on
        foreign_days.currency = rate_spans.currency
        and foreign_days.ordered_on >= rate_spans.valid_from
        and (rate_spans.valid_until is null or foreign_days.ordered_on < rate_spans.valid_until)
