{% macro scheme__company_size() %}{{ return(ref('company_size')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_member_dates') }}

{# By employees; revenue decides only where they are not known, or cannot be (a negative number). #}
with facts as (

    select
        members.as_of,
        members.customer_id,
        case when companies.employees >= 0 then companies.employees end as employees,
        case when companies.annual_revenue >= 0 then companies.annual_revenue end as annual_revenue
    from {{ ref('int_members') }} as members
    {# Its dates are named here: no filter from outside reaches what is read twice. #}
    inner join {{ missing(ref('int_member_dates')) }} as dates on members.as_of = dates.as_of
    inner join {{ ref('stg_companies') }} as companies on members.customer_id = companies.company_id

),

reached_rules as (

    select
        facts.as_of,
        facts.customer_id,
        rules.segment,
        row_number() over (
            partition by facts.as_of, facts.customer_id order by rules.min_employees desc, rules.segment asc
        ) as place
    from facts
    inner join {{ ref('company_size_rules') }} as rules
        on
            facts.employees >= rules.min_employees
            or (facts.employees is null and facts.annual_revenue >= rules.min_annual_revenue)

)

select
    facts.as_of,
    'company_size' as scheme,
    facts.customer_id as member_id,
    coalesce(reached_rules.segment, 'unknown') as segment,
    cast(null as string) as label,
    case when reached_rules.segment is null then 'unknown' else 'declared' end as evidence,
    {{ json_object_text([
        ['employees', 'facts.employees', 'number'],
        ['annual_revenue', 'facts.annual_revenue', 'decimal'],
    ]) }} as reason
from facts
left join reached_rules
    on facts.as_of = reached_rules.as_of and facts.customer_id = reached_rules.customer_id and reached_rules.place = 1
