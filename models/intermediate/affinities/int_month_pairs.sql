{{ config(**kept('int_pair_months', 'month_on')) }}

{# Baskets with both items of an unordered pair (item_a < item_b) by the month in which the pair was complete: counts that add
   up over months. Items by their texts, since numbers are given anew by every refresh. #}
with months as (

    {{ partitions_to_make('int_pair_months', 'month_on') | indent(4) }}

)

{%- if not month_pair_levels() %}

select
    cast(null as {{ dbt.type_string() }}) as item_level,
    cast(null as {{ dbt.type_string() }}) as item_a,
    cast(null as {{ dbt.type_string() }}) as item_b,
    cast(null as bigint) as n_both,
    months.made_from,
    months.month_on
from months
where 1 = 0

{%- else %},

facts as (

    select
        item_level,
        basket_number,
        item_number,
        {{ month_start('bought_on') }} as month_on
    from {{ ref('int_basket_item_numbers') }}
    where item_level in ('{{ month_pair_levels() | join("', '") }}')

),

{% if is_incremental() -%}
baskets as (

    select distinct facts.basket_number
    from facts
    inner join months on facts.month_on = months.month_on

),

items as (

    select
        facts.item_level,
        facts.basket_number,
        facts.item_number,
        facts.month_on
    from facts
    inner join baskets on facts.basket_number = baskets.basket_number

),

{% endif -%}
{%- set items = 'items' if is_incremental() else 'facts' -%}
pair_counts as (

    {% for level in month_pair_levels() %}
    select
        greatest(first_items.month_on, second_items.month_on) as month_on,
        first_items.item_number as item_a,
        second_items.item_number as item_b,
        count(*) as n_both
    from {{ items }} as first_items
    inner join {{ items }} as second_items
        on
            first_items.basket_number = second_items.basket_number
            and first_items.item_number < second_items.item_number
    where first_items.item_level = '{{ level }}' and second_items.item_level = '{{ level }}'
    group by greatest(first_items.month_on, second_items.month_on), first_items.item_number, second_items.item_number
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    first_names.item_level,
    first_names.item as item_a,
    second_names.item as item_b,
    pair_counts.n_both,
    months.made_from,
    months.month_on
from pair_counts
inner join months on pair_counts.month_on = months.month_on
inner join {{ ref('int_affinity_items') }} as first_names on pair_counts.item_a = first_names.item_number
inner join {{ ref('int_affinity_items') }} as second_names on pair_counts.item_b = second_names.item_number

{%- endif %}
