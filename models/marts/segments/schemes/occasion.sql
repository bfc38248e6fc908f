{% macro scheme__occasion() %}{{ return(ref('occasion')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_fact_dates') }}

with shares as (

    select
        occasions.as_of,
        occasions.customer_id,
        occasions.occasion,
        cast(occasions.baskets as double)
        / sum(occasions.baskets) over (partition by occasions.as_of, occasions.customer_id) as basket_share,
        sum(occasions.baskets) over (partition by occasions.as_of, occasions.customer_id) as customer_baskets,
        row_number() over (
            partition by occasions.as_of, occasions.customer_id
            order by occasions.baskets desc, occasions.occasion asc
        ) as place
    from {{ ref('int_customer_occasions') }} as occasions

)

select
    members.as_of,
    'occasion' as scheme,
    members.customer_id as member_id,
    case
        when shares.basket_share >= {{ var('dominant_occasion_share') }} then shares.occasion
        when shares.customer_id is not null then 'mixed'
        else 'unknown'
    end as segment,
    cast(null as string) as label,
    case when shares.customer_id is null then 'unknown' else 'observed' end as evidence,
    {{ json_object_text([
        ['occasion', 'shares.occasion', 'text'],
        ['basket_share', 'shares.basket_share', 'decimal'],
        ['baskets', 'shares.customer_baskets', 'number'],
    ]) }} as reason
from {{ ref('int_buyers') }} as members
left join shares
    on
        members.as_of = shares.as_of
        and members.customer_id = shares.customer_id
        and shares.place = 1
        and shares.customer_baskets >= {{ var('occasion_min_baskets') }}
where members.kind = 'person'
