{# The personas by the rules that divide customers: every active scheme that needs a profile alone. #}
with memberships as (

    {% for name in profile_scheme_names() -%}
    select member_id, scheme, segment, evidence, reason
    from (
        {{ profile_scheme(name, ref('int_persona_profiles')) | indent(8) }}
    ) as {{ name }}_personas
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    memberships.member_id as persona_id,
    memberships.scheme,
    memberships.segment,
    memberships.evidence,
    memberships.reason,
    personas.description
from memberships
inner join {{ ref('segment_schemes') }} as schemes on memberships.scheme = schemes.scheme and schemes.is_active
inner join {{ ref('personas') }} as personas on memberships.member_id = personas.persona_id
