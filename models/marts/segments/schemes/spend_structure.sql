{% macro scheme__spend_structure() %}{{ return(ref('spend_structure')) }}{% endmacro %}
{{ config(**kept('int_fact_dates', 'as_of')) }}

with dates as (

    {{ partitions_to_make('int_category_dates', 'as_of') | indent(4) }}

),

spends as (

    select
        categories.as_of,
        categories.customer_id,
        categories.department,
        sum(categories.spend) as spend
    from {{ ref('int_customer_categories') }} as categories
    inner join dates on categories.as_of = dates.as_of
    group by categories.as_of, categories.customer_id, categories.department

),

shares as (

    select
        as_of,
        customer_id,
        department,
        cast(spend as double) / cast(nullif(sum(spend) over (partition by as_of, customer_id), 0) as double) as spend_share,
        sum(spend) over (partition by as_of, customer_id) as customer_spend
    from spends

),

ranked as (

    select
        as_of,
        customer_id,
        department,
        spend_share,
        row_number() over (
            partition by as_of, customer_id
            order by spend_share desc, department asc
        ) as place
    from shares
    where customer_spend > 0 and {{ known_label('department') }} is not null

)

select
    members.as_of,
    'spend_structure' as scheme,
    members.customer_id as member_id,
    case
        when ranked.spend_share >= {{ var('dominant_department_share') }} then {{ segment_id('ranked.department') }}
        when ranked.customer_id is not null then 'mixed'
        else 'unknown'
    end as segment,
    case when ranked.spend_share >= {{ var('dominant_department_share') }} then ranked.department end as label,
    case when ranked.customer_id is null then 'unknown' else 'observed' end as evidence,
    {{ json_object_text([
        ['department', 'ranked.department', 'text'],
        ['spend_share', 'ranked.spend_share', 'decimal'],
    ]) }} as reason,
    dates.made_from
from {{ ref('int_buyers') }} as members
inner join dates on members.as_of = dates.as_of
left join ranked
    on members.as_of = ranked.as_of and members.customer_id = ranked.customer_id and ranked.place = 1
