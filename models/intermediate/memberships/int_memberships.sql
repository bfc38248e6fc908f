{{ config(materialized='kept', by='as_of', inputs='int_membership_dates') }}

{# Every scheme's members on every as-of date. A new file in marts/segments/schemes joins by itself. A member of the scheme's
   audience of whom the scheme says nothing is `unknown` in it. #}
with dates as (

    {# Its dates are named here: no filter from outside reaches what is read twice. #}
    select as_of from {{ missing(ref('int_membership_dates')) }}

),

active_schemes as (

    select
        scheme,
        audience
    from {{ ref('segment_schemes') }}
    where is_active

),

judged as (

    {% for name in scheme_names() -%}
    select as_of, scheme, member_id, segment, label, evidence, reason
    from {{ scheme_relation(name) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

memberships as (

    select
        judged.as_of,
        judged.scheme,
        judged.member_id,
        judged.segment,
        judged.label,
        judged.evidence,
        judged.reason
    from judged
    inner join dates on judged.as_of = dates.as_of
    inner join active_schemes on judged.scheme = active_schemes.scheme

),

audiences as (

    select
        members.as_of,
        active_schemes.scheme,
        members.customer_id as member_id
    from {{ ref('int_members') }} as members
    inner join dates on members.as_of = dates.as_of
    inner join active_schemes
        on
            active_schemes.scheme in ('{{ scheme_names() | join("', '") }}')
            and active_schemes.audience in ('person', 'company', 'person, company')
            and active_schemes.audience like ('%' || members.kind || '%')

)

select
    as_of,
    scheme,
    member_id,
    segment,
    label,
    evidence,
    reason
from memberships

union all

select
    audiences.as_of,
    audiences.scheme,
    audiences.member_id,
    'unknown' as segment,
    cast(null as string) as label,
    'unknown' as evidence,
    '{}' as reason
from audiences
left join memberships
    on
        audiences.as_of = memberships.as_of
        and audiences.scheme = memberships.scheme
        and audiences.member_id = memberships.member_id
where memberships.member_id is null
