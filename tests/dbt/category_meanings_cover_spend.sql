{# A warning: of each active scheme that reads category_meanings, too little of the window's spend has a meaning. Users' own
   categories have none at first, so this stops nothing; on the demo data a pytest insists. #}
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'int_memberships'}}}) }}

with spends as (

    select
        meanings.job_to_be_done,
        meanings.purchase_motive,
        meanings.lifestyle,
        cast(categories.spend as double) as spend
    from {{ ref('int_customer_categories') }} as categories
    inner join {{ ref('int_as_of_dates') }} as dates on categories.as_of = dates.as_of and dates.is_current
    left join {{ ref('category_meanings') }} as meanings
        on {{ lower_case('categories.category') }} = {{ lower_case('meanings.category') }}

),

coverages as (

    {% for scheme in ['job_to_be_done', 'purchase_motive', 'lifestyle'] -%}
    select
        '{{ scheme }}' as scheme,
        sum(case when {{ scheme }} is not null then spend else 0 end) / nullif(sum(spend), 0) as coverage
    from spends
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    coverages.scheme,
    coverages.coverage
from coverages
inner join {{ ref('segment_schemes') }} as schemes on coverages.scheme = schemes.scheme and schemes.is_active
where coverages.coverage < {{ var('min_meaning_coverage') }}
