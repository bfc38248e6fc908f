{# Landed rows that are fine by themselves, and left out for what another table says: order lines in a currency without a rate on
   their day, and all but one of the profiles of a customer with several ids. In the shape of refused_rows. #}
{%- set profiles = {'customers': 'customer_id', 'companies': 'company_id', 'company_contacts': 'person_id'} -%}
with unrated_lines as (

    select
        lines.source_file,
        lines.source_row,
        rates.currency,
        lines.ordered_on
    from {{ ref('base_order_lines') }} as lines
    inner join {{ ref('base_order_rates') }} as rates
        on coalesce(lines.currency, '') = rates.spelling and lines.ordered_on = rates.ordered_on
    left join {{ ref('refused_rows') }} as refused
        on
            refused.source_table = 'order_lines'
            and lines.source_file = refused.source_file
            and lines.source_row = refused.source_row
    where rates.rate is null and not lines.is_refused and refused.source_row is null

),

{% for table, id in profiles.items() -%}
{#- As of rows that share a key: the latest is taken; where that says nothing, the customer's own. -#}
{%- set order = rival_order(landing_table(table)) %}
ranked_{{ table }} as (

    with

    {{ typed_and_judged(landing_table(table)) | indent(4) }},

    profiles as (
        select
            judged_rows.*,
            canonical.canonical_id,
            count(*) over (partition by {{ row_identity(landing_table(table)) | join(', ') }}) as times_landed
        from judged_rows
        inner join (
            select alias_id, customer_id as canonical_id from {{ ref('base_customer_ids') }} where not is_guest
            union
            select customer_id as alias_id, customer_id as canonical_id from {{ ref('base_customer_ids') }} where not is_guest
        ) as canonical on judged_rows.{{ id }} = canonical.alias_id
        where not judged_rows.is_refused
    ),

    places as (
        select
            profiles.source_file,
            profiles.source_row,
            profiles.canonical_id,
            row_number() over (
                partition by canonical_id
                order by
                    {{ order[0] }},
                    case when {{ id }} = canonical_id then 0 else 1 end,
                    {{ order[1:] | join(', ') }},
                    {{ id }} asc,
                    profiles.source_file asc,
                    profiles.source_row asc
            ) as place
        from profiles
        left join {{ ref('refused_rows') }} as refused
            on
                refused.source_table = '{{ table }}'
                and profiles.source_file = refused.source_file
                and profiles.source_row = refused.source_row
        where refused.source_row is null
    )

    select
        source_file,
        source_row,
        place,
        max(case when place = 1 then source_file || ', row ' || {{ text('source_row') }} end)
            over (partition by canonical_id) as taken_row
    from places

),

{% endfor -%}
left_out as (

    select
        'order_lines' as source_table,
        unrated_lines.source_file,
        unrated_lines.source_row,
        'quarantined' as disposition,
        'currency: no rate of ' || unrated_lines.currency || ' on ' || cast(unrated_lines.ordered_on as string) || ' in exchange_rates' as reasons,
        cast(null as string) as superseded_by,
        {{ raw_json(landing_table('order_lines')) | indent(8) }} as raw
    from unrated_lines
    inner join {{ source('landing', 'order_lines') }} as landed
        on unrated_lines.source_file = landed.source_file and unrated_lines.source_row = landed.source_row

    {% for table, id in profiles.items() -%}
    union all

    select
        '{{ table }}' as source_table,
        ranked.source_file,
        ranked.source_row,
        'superseded' as disposition,
        'superseded: another row of the same customer is taken, by customer_aliases' as reasons,
        ranked.taken_row as superseded_by,
        {{ raw_json(landing_table(table)) | indent(8) }} as raw
    from ranked_{{ table }} as ranked
    inner join {{ source('landing', table) }} as landed
        on ranked.source_file = landed.source_file and ranked.source_row = landed.source_row
    where ranked.place > 1

    {% endfor %}
)

select
    cast(source_table as string) as source_table,
    source_file,
    source_row,
    cast(disposition as string) as disposition,
    cast(reasons as string) as reasons,
    superseded_by,
    raw
from left_out
