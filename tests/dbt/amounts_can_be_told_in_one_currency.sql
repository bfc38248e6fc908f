{# Amounts are never added across currencies: where there is more than one, rates convert them into the reporting currency. Tested
   before anything is staged. #}
{{ config(meta={'dagster': {'ref': {'name': 'base_order_currencies'}}}) }}

with

currencies as (
    select
        currency,
        max(reporting_currency) as reporting_currency,
        sum(lines) as lines
    from {{ ref('base_order_currencies') }}
    group by currency
),

rates as (
    select count(*) as rates
    from {{ ref('stg_exchange_rates') }}
),

one_message as (
    select
        'order_lines: amounts are in ' || {{ sorted_list("coalesce(currency, 'no currency') || ' (' || " ~ text('lines') ~ " || ' lines)'") }}
        || ', and are not added as they are. '
        || case
            when max(reporting_currency) is null
                then 'Set REPORTING_CURRENCY (or the var reporting_currency) to the one that the report is to be in'
            else 'The report is to be in ' || max(reporting_currency)
        end
        || case
            when max(rates.rates) = 0
                then ': land exchange_rates (currency, valid_from, rate: units of it for one of the currency)'
            else ''
        end
        || '.' as message
    from currencies
    cross join rates
    having
        (max(reporting_currency) is null and count(currency) > 1)
        or (max(rates.rates) = 0 and max(case when currency <> reporting_currency then 1 else 0 end) = 1)
)

select message
from one_message
where message is not null and {{ stop_with('message') }} is null
