{{ config(materialized='view') }}

{# A view: its rows are kept in base_order_lines, and what is reduced of them in the facts. Here lines get what other tables say of
   them: whose they are, what their money is worth, and whether they count. content_hash stays that of the landed line where none
   of it changes anything, and changes with the customer and the rate where it does. #}
{%- set amounts = {} -%}
{%- for column in ['amount', 'discount_amount', 'coupon_amount'] -%}
    {%- do amounts.update({column:
        'case when rates.rate is null then lines.' ~ column ~ ' else ' ~ converted('lines.' ~ column, 'rates.rate') ~ ' end'
    }) -%}
{%- endfor %}
{#- So that the test of how many rows are refused, which reads those too, comes before. #}
-- depends_on: {{ ref('unmatched_rows') }}
select
    lines.order_id,
    case when ids.alias_id is null then lines.customer_id else ids.customer_id end as customer_id,
    lines.product_id,
    lines.ordered_at,
    lines.ordered_at_local,
    lines.ordered_on,
    lines.ordered_at_is_day,
    lines.quantity,
    {{ amounts.amount }} as amount,
    lines.line_number,
    {{ amounts.discount_amount }} as discount_amount,
    {{ amounts.coupon_amount }} as coupon_amount,
    lines.channel,
    lines.store_id,
    lines.currency,
    lines.status,
    lines.returns_order_id,
    statuses.status is null as is_counted,
    case
        when ids.alias_id is null and rates.rate is null then lines.content_hash
        else {{ row_hash(['lines.content_hash', 'ids.customer_id', 'ids.is_guest', 'rates.rate']) }}
    end as content_hash
from {{ ref('base_order_lines') }} as lines
left join {{ ref('refused_rows') }} as refused
    on
        refused.source_table = 'order_lines'
        and lines.source_file = refused.source_file
        and lines.source_row = refused.source_row
{{ with_customer_ids('lines') }}
left join {{ ref('base_order_rates') }} as rates
    on coalesce(lines.currency, '') = rates.spelling and lines.ordered_on = rates.ordered_on
left join (
    select distinct {{ spelling_of('status') }} as status from {{ ref('order_statuses') }} where not counts
) as statuses on {{ spelling_of('lines.status') }} = statuses.status
where
    not lines.is_refused
    and refused.source_row is null
    and (rates.spelling is null or rates.rate is not null)
