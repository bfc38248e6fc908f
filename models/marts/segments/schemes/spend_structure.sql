{% macro scheme__spend_structure() %}{{ return(ref('spend_structure')) }}{% endmacro %}

with spends as (

    select
        as_of,
        customer_id,
        department,
        sum(spend) as spend
    from {{ ref('int_customer_categories') }}
    group by as_of, customer_id, department

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
    ]) }} as reason
from {{ ref('int_members') }} as members
left join ranked
    on members.as_of = ranked.as_of and members.customer_id = ranked.customer_id and ranked.place = 1
