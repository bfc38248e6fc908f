{% macro scheme__category_interest() %}{{ return(ref('category_interest')) }}{% endmacro %}
{{ config(**kept('int_fact_dates', 'as_of')) }}

with dates as (

    {{ partitions_to_make('int_category_dates', 'as_of') | indent(4) }}

),

spends as (

    select
        categories.as_of,
        categories.customer_id,
        categories.category,
        sum(categories.spend) as spend
    from {{ ref('int_customer_categories') }} as categories
    inner join dates on categories.as_of = dates.as_of
    group by categories.as_of, categories.customer_id, categories.category

),

customer_totals as (

    select
        as_of,
        customer_id,
        sum(spend) as spend
    from spends
    group by as_of, customer_id

),

category_totals as (

    select
        as_of,
        category,
        sum(spend) as spend
    from spends
    group by as_of, category

),

totals as (

    select
        as_of,
        sum(spend) as spend
    from spends
    group by as_of

),

indexes as (

    select
        spends.as_of,
        spends.customer_id,
        spends.category,
        baskets.baskets,
        (cast(spends.spend as double) / cast(customer_totals.spend as double))
        / (cast(category_totals.spend as double) / cast(totals.spend as double)) as interest_index
    from spends
    inner join {{ ref('int_customer_category_baskets') }} as baskets
        on
            spends.as_of = baskets.as_of
            and spends.customer_id = baskets.customer_id
            and spends.category = baskets.category
    inner join customer_totals
        on spends.as_of = customer_totals.as_of and spends.customer_id = customer_totals.customer_id
    inner join category_totals
        on spends.as_of = category_totals.as_of and spends.category = category_totals.category
    inner join totals on spends.as_of = totals.as_of
    where
        baskets.baskets >= {{ var('interest_min_baskets') }}
        and {{ known_label('spends.category') }} is not null
        and spends.spend > 0
        and customer_totals.spend > 0
        and category_totals.spend > 0
        and totals.spend > 0

),

ranked as (

    select
        as_of,
        customer_id,
        category,
        baskets,
        interest_index,
        row_number() over (
            partition by as_of, customer_id
            {# Rounded, so that equal shares of unequal amounts are equal: the last digit of a division decides nothing. #}
            order by round(interest_index, 9) desc, baskets desc, category asc
        ) as place
    from indexes

)

select
    members.as_of,
    'category_interest' as scheme,
    members.customer_id as member_id,
    coalesce({{ segment_id('ranked.category') }}, 'unknown') as segment,
    ranked.category as label,
    case when ranked.category is null then 'unknown' else 'observed' end as evidence,
    {{ json_object_text([
        ['category', 'ranked.category', 'text'],
        ['index', 'ranked.interest_index', 'decimal'],
        ['baskets', 'ranked.baskets', 'number'],
    ]) }} as reason,
    dates.made_from
from {{ ref('int_buyers') }} as members
inner join dates on members.as_of = dates.as_of
left join ranked
    on members.as_of = ranked.as_of and members.customer_id = ranked.customer_id and ranked.place = 1
