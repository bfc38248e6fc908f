{# Exhaustive: every member of the scheme's audience is in the scheme on every as-of date, and nobody else is. #}
{% test members_complete(model) %}
{%- set dates = untested_partitions('int_memberships') %}
with memberships as (

    select as_of, scheme, member_id
    from {{ model }}

),

expected as (

    select members.as_of, schemes.scheme, members.customer_id as member_id
    from {{ ref('int_members') }} as members
    inner join {{ ref('segment_schemes') }} as schemes
        on
            schemes.is_active
            and schemes.audience in ('person', 'company', 'person, company')
            and schemes.audience like ('%' || members.kind || '%')
    where
        schemes.scheme in (select scheme from {{ ref('int_memberships') }})
        {%- if dates is not none %}
        and members.as_of in ({{ dates }})
        {%- endif %}
    union all
    select dates.as_of, schemes.scheme, contacts.person_id as member_id
    from {{ ref('stg_company_contacts') }} as contacts
    cross join {{ ref('int_as_of_dates') }} as dates
    inner join {{ ref('segment_schemes') }} as schemes
        on schemes.is_active and schemes.audience = 'company_contact'
    left join {{ ref('int_prospect_contacts') }} as of_prospects on contacts.person_id = of_prospects.person_id
    where
        of_prospects.person_id is null
        and schemes.scheme in (select scheme from {{ ref('int_memberships') }})
        {%- if dates is not none %}
        and dates.as_of in ({{ dates }})
        {%- endif %}

),

found as (

    select memberships.as_of, memberships.scheme, memberships.member_id
    from memberships
    inner join {{ ref('segment_schemes') }} as schemes
        on
            memberships.scheme = schemes.scheme
            and schemes.audience in ('person', 'company', 'person, company', 'company_contact')

)

select
    coalesce(expected.scheme, found.scheme) as scheme,
    coalesce(expected.member_id, found.member_id) as member_id,
    case when found.member_id is null then 'missing' else 'not of the audience' end as problem
from expected
full outer join found
    on
        expected.as_of = found.as_of
        and expected.scheme = found.scheme
        and expected.member_id = found.member_id
where expected.member_id is null or found.member_id is null
{% endtest %}

{# Every segment of a scheme with a closed list is in that list (seed segment_definitions), or `unknown`. #}
{% test segments_of_closed_list(model) %}
select distinct memberships.scheme, memberships.segment
from {{ model }} as memberships
inner join {{ ref('segment_schemes') }} as schemes
    on memberships.scheme = schemes.scheme and not schemes.is_data_driven
left join {{ ref('segment_definitions') }} as definitions
    on memberships.scheme = definitions.scheme and memberships.segment = definitions.segment
where memberships.segment <> 'unknown' and definitions.segment is null
{% endtest %}
