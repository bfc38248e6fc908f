{% macro scheme__category_interest() %}{{ return(ref('category_interest')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_fact_dates', sized_by='int_customer_category_days') }}

with spends as (

    select
        categories.as_of,
        categories.customer_id,
        categories.category,
        categories.spend
    from {{ ref('int_customer_categories') }} as categories
    {# Its dates are named here: no filter from outside reaches what is read twice. #}
    inner join {{ missing(ref('int_category_dates')) }} as dates on categories.as_of = dates.as_of

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
    from category_totals
    group by as_of

),

{# Those that a member may be in, before anything is added up by member and category. #}
interests as (

    select
        baskets.as_of,
        baskets.customer_id,
        baskets.category,
        baskets.baskets,
        category_totals.spend as category_spend
    from {{ ref('int_customer_category_baskets') }} as baskets
    inner join category_totals on baskets.as_of = category_totals.as_of and baskets.category = category_totals.category
    where
        baskets.baskets >= {{ var('interest_min_baskets') }}
        and {{ known_label('category_totals.category') }} is not null
        and category_totals.spend > 0

),

{# A category can be in more than one department. #}
interest_spends as (

    select
        interests.as_of,
        interests.customer_id,
        interests.category,
        interests.baskets,
        interests.category_spend,
        sum(spends.spend) as spend
    from interests
    inner join spends
        on
            interests.as_of = spends.as_of
            and interests.customer_id = spends.customer_id
            and interests.category = spends.category
    group by
        interests.as_of, interests.customer_id, interests.category, interests.baskets, interests.category_spend

),

indexes as (

    select
        interest_spends.as_of,
        interest_spends.customer_id,
        interest_spends.category,
        interest_spends.baskets,
        (cast(interest_spends.spend as double) / cast(customer_totals.spend as double))
        / (cast(interest_spends.category_spend as double) / cast(totals.spend as double)) as interest_index
    from interest_spends
    inner join customer_totals
        on interest_spends.as_of = customer_totals.as_of and interest_spends.customer_id = customer_totals.customer_id
    inner join totals on interest_spends.as_of = totals.as_of
    where interest_spends.spend > 0 and customer_totals.spend > 0 and totals.spend > 0

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
    {# Bought no more than by everyone is no interest; where one category is all there is, it is everybody's and nobody's. #}
    where round(interest_index, 9) > 1

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
    ]) }} as reason
from {{ ref('int_buyers') }} as members
{# Of a date that was not added up nothing is said: it is not that nothing is known of anybody. #}
inner join {{ ref('int_category_dates') }} as dates on members.as_of = dates.as_of
left join ranked
    on members.as_of = ranked.as_of and members.customer_id = ranked.customer_id and ranked.place = 1
