{% macro scheme__spend_structure() %}{{ return(ref('spend_structure')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_fact_dates', sized_by='int_customer_category_days') }}

with spends as (

    select
        categories.as_of,
        categories.customer_id,
        categories.department,
        sum(categories.spend) as spend
    from {{ ref('int_customer_categories') }} as categories
    {# Its dates are named here: no filter from outside reaches what is read twice. #}
    inner join {{ missing(ref('int_category_dates')) }} as dates on categories.as_of = dates.as_of
    group by categories.as_of, categories.customer_id, categories.department

),

{# By name from the last, so that of departments with equal spend the first has the highest place. #}
departments as (

    select
        department,
        row_number() over (order by department desc) as place,
        {{ known_label('department') }} is not null as is_known
    from (select distinct department from spends where department is not null) as names

),

tops as (

    select
        spends.as_of,
        spends.customer_id,
        sum(spends.spend) as customer_spend,
        max(case when departments.is_known then {{ ordered_pair('spends.spend', 'departments.place') }} end) as top
    from spends
    left join departments on spends.department = departments.department
    group by spends.as_of, spends.customer_id

),

shares as (

    select
        tops.as_of,
        tops.customer_id,
        departments.department,
        {# Rounded, so that 1.20 of 3.00 is as much as 40 of 100. #}
        round(cast((tops.top).major as double) / cast(tops.customer_spend as double), 9) as spend_share
    from tops
    inner join departments on (tops.top).minor = departments.place
    where tops.customer_spend > 0

)

select
    members.as_of,
    'spend_structure' as scheme,
    members.customer_id as member_id,
    case
        when shares.spend_share >= {{ var('dominant_department_share') }} then {{ segment_id('shares.department') }}
        when shares.customer_id is not null then 'mixed'
        else 'unknown'
    end as segment,
    case when shares.spend_share >= {{ var('dominant_department_share') }} then shares.department end as label,
    case when shares.customer_id is null then 'unknown' else 'observed' end as evidence,
    {{ json_object_text([
        ['department', 'shares.department', 'text'],
        ['spend_share', 'shares.spend_share', 'decimal'],
    ]) }} as reason
from {{ ref('int_buyers') }} as members
{# Of a date that was not added up nothing is said: it is not that nothing is known of anybody. #}
inner join {{ ref('int_category_dates') }} as dates on members.as_of = dates.as_of
left join shares
    on members.as_of = shares.as_of and members.customer_id = shares.customer_id
