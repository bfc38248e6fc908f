{{ config(materialized='view') }}

{# Behaviour of every member on every as-of date; who never ordered has no first and last basket, and sums of 0. #}
select
    members.as_of,
    members.customer_id,
    members.kind,
    features.first_basket_on,
    features.last_basket_on,
    features.recency_days,
    coalesce(features.frequency, 0) as frequency,
    coalesce(features.monetary, 0) as monetary,
    features.discount_share,
    features.private_label_share
from {{ ref('int_members') }} as members
left join {{ ref('int_buyer_features') }} as features
    on members.as_of = features.as_of and members.customer_id = features.customer_id
