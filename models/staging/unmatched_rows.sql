{# Landed rows that are fine by themselves, and left out for what another table says: order lines in a currency without a rate on
   their day, and profiles of an id that is an alias of a customer with a profile. In the shape of refused_rows. #}
{%- set profiles = {'customers': 'customer_id', 'companies': 'company_id'} -%}
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
ranked_{{ table }} as (

    select
        landed.source_file,
        landed.source_row,
        canonical.customer_id,
        row_number() over (
            partition by canonical.customer_id
            order by
                case when landed.{{ id }} = canonical.customer_id then 0 else 1 end,
                landed.{{ id }} asc,
                landed.source_file asc,
                landed.source_row asc
        ) as place
    from {{ source('landing', table) }} as landed
    inner join (
        select alias_id, customer_id from {{ ref('base_customer_ids') }} where not is_guest
        union
        select customer_id as alias_id, customer_id from {{ ref('base_customer_ids') }} where not is_guest
    ) as canonical on landed.{{ id }} = canonical.alias_id
    left join {{ ref('refused_rows') }} as refused
        on
            refused.source_table = '{{ table }}'
            and landed.source_file = refused.source_file
            and landed.source_row = refused.source_row
    where refused.source_row is null

),

{% endfor -%}
left_out as (

    select
        'order_lines' as source_table,
        unrated_lines.source_file,
        unrated_lines.source_row,
        'quarantined' as disposition,
        'currency: no rate of ' || unrated_lines.currency || ' on ' || cast(unrated_lines.ordered_on as string) || ' in exchange_rates' as reasons,
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
        '{{ id }}: an alias of a customer whose row is taken (customer_aliases)' as reasons,
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
    raw
from left_out
