{# Segments that are made of excluded items (seed offer_exclusions): of the schemes whose segments are items of a level, those all of
   whose merchandise is excluded. No `*` treatment serves them. Two items may share a segment id: both must be excluded. #}
with exclusions as (

    select
        level,
        {{ lower_case('pattern') }} as pattern
    from {{ ref('offer_exclusions') }}

),

excluded_products as (

    select distinct products.product_id
    from {{ ref('int_products') }} as products
    inner join exclusions
        on
            {{ product_matches('products', 'exclusions', lowered=true) | indent(12) }}

),

segment_products as (

    {% for scheme, level in item_schemes().items() %}
    select
        '{{ scheme }}' as scheme,
        {{ segment_id('products.' ~ item_column(level)) }} as segment,
        excluded_products.product_id as excluded_product_id
    from {{ ref('int_products') }} as products
    left join excluded_products on products.product_id = excluded_products.product_id
    where products.is_merchandise and products.{{ item_column(level) }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    scheme,
    segment
from segment_products
group by scheme, segment
having count(*) = count(excluded_product_id)
