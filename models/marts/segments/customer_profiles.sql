{# One column a scheme: the columns follow the schemes, so this contract cannot list them all and is not enforced. #}
with features as (

    select features.*
    from {{ ref('int_customer_features') }} as features
    inner join {{ ref('int_current_date') }} as dates on features.as_of = dates.as_of

),

rfm_scores as (

    select
        customer_id,
        recency_score,
        frequency_score,
        monetary_score
    from {{ ref('int_rfm_scores') }} as scores
    inner join {{ ref('int_current_date') }} as dates on scores.as_of = dates.as_of

),

segments_of_members as (

    select
        member_id
        {%- for name in scheme_names() %},
        max(case when scheme = '{{ name }}' then segment end) as {{ name }}
        {%- endfor %}
    from {{ ref('customer_segments') }}
    group by member_id

)

select
    features.customer_id,
    features.kind,
    features.first_basket_on as first_order_on,
    features.last_basket_on as last_order_on,
    features.recency_days,
    features.frequency,
    features.monetary,
    rfm_scores.recency_score,
    rfm_scores.frequency_score,
    rfm_scores.monetary_score,
    features.discount_share,
    features.private_label_share
    {%- for name in scheme_names() %},
    segments_of_members.{{ name }}
    {%- endfor %}
from features
left join rfm_scores on features.customer_id = rfm_scores.customer_id
left join segments_of_members on features.customer_id = segments_of_members.member_id
