{# Every scheme's members on every as-of date. A new file in marts/segments/schemes joins by itself. #}
with memberships as (

    {% for name in scheme_names() -%}
    select as_of, scheme, member_id, segment, label, evidence, reason
    from {{ scheme_relation(name) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    memberships.as_of,
    memberships.scheme,
    memberships.member_id,
    memberships.segment,
    memberships.label,
    memberships.evidence,
    memberships.reason
from memberships
inner join {{ ref('segment_schemes') }} as schemes
    on memberships.scheme = schemes.scheme and schemes.is_active
