{# What each as-of date's memberships are made from: all that int_member_dates knows of, and the rows of those schemes that
   are not kept by date, which may read anything. #}
{%- set other_schemes = scheme_names() | reject('in', kept_scheme_names()) | list -%}
{%- for name in scheme_names() %}
-- depends_on: {{ scheme_relation(name) }}
{%- endfor %}
{%- if not other_schemes %}

select
    as_of,
    made_from
from {{ ref('int_member_dates') }}

{%- else %}

with scheme_rows as (

    {% for name in other_schemes -%}
    select as_of, {{ row_hash(['scheme', 'member_id', 'segment', 'label', 'evidence', 'reason']) }} as row_hash
    from {{ scheme_relation(name) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

scheme_dates as (

    select
        as_of,
        {{ hash_sum('row_hash') }} as rows_hash
    from scheme_rows
    group by as_of

)

select
    dates.as_of,
    {{ row_hash(['dates.made_from', 'scheme_dates.rows_hash']) }} as made_from
from {{ ref('int_member_dates') }} as dates
left join scheme_dates on dates.as_of = scheme_dates.as_of

{%- endif %}
