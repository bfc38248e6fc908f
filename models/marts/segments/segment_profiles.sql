{# What makes a segment tangible: means over its members against the means over everyone in the scheme. #}
{%- set metrics = ['spend', 'baskets', 'spend_per_basket', 'recency_days', 'discount_share', 'private_label_share'] -%}

with member_values as (

    select
        memberships.scheme,
        memberships.segment,
        cast(features.monetary as double) as spend,
        cast(features.frequency as double) as baskets,
        cast(features.monetary as double) / nullif(features.frequency, 0) as spend_per_basket,
        cast(features.recency_days as double) as recency_days,
        features.discount_share,
        features.private_label_share
    from {{ ref('customer_segments') }} as memberships
    inner join {{ ref('int_customer_features') }} as features
        on memberships.as_of = features.as_of and memberships.member_id = features.customer_id
    inner join {{ ref('segment_schemes') }} as schemes
        on memberships.scheme = schemes.scheme and schemes.audience <> 'company_contact'

),

metric_values as (

    {% for metric in metrics %}
    {# Whole billionths, so that sums do not depend on the order of threads. #}
    select scheme, segment, '{{ metric }}' as metric, cast(round({{ metric }} * 1000000000) as decimal(38, 0)) as billionths
    from member_values
    where {{ metric }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

segment_means as (

    select scheme, segment, metric, cast(sum(billionths) as double) / count(*) / 1000000000 as value
    from metric_values
    group by scheme, segment, metric

),

population_means as (

    select scheme, metric, cast(sum(billionths) as double) / count(*) / 1000000000 as population_value
    from metric_values
    group by scheme, metric

)

select
    segment_means.scheme,
    segment_means.segment,
    segment_means.metric,
    segment_means.value,
    population_means.population_value,
    segment_means.value / nullif(population_means.population_value, 0) as {{ adapter.quote('index') }}
from segment_means
inner join population_means
    on segment_means.scheme = population_means.scheme and segment_means.metric = population_means.metric
