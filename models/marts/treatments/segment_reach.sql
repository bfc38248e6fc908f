-- How many members of each segment may be addressed on each channel that a treatment uses: counted as the audiences count it.
{%- if var('unreachable_treatments') not in ['warn', 'block'] %}
    {{ exceptions.raise_compiler_error("var unreachable_treatments is " ~ var('unreachable_treatments') ~ ": it must be warn (say whom a treatment cannot reach) or block (stop the refresh for it)") }}
{%- endif %}

select
    segments.scheme,
    segments.segment,
    permissions.channel,
    cast(count(*) as bigint) as members,
    cast(sum(case when permissions.is_permitted then 1 else 0 end) as bigint) as reachable_members,
    cast(
        sum(case when permissions.permission in ('consent', 'refused', 'unsubscribed') then 1 else 0 end) as bigint
    ) as members_on_record
from {{ ref('customer_segments') }} as segments
inner join {{ ref('contact_permissions') }} as permissions on segments.member_id = permissions.member_id
group by segments.scheme, segments.segment, permissions.channel
