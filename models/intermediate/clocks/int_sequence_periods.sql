{# The periods that sequences are kept by, and what each is made from: the hashes of its days, of the days before it from which
   a sequence can reach into it, and of the items' numbers. #}
with days as (

    {{ days_of_periods() | indent(4) }}

),

periods as (

    select
        period_on,
        max(day_on) as last_day_on
    from days
    group by period_on

),

items as (

    select {{ hash_sum(row_hash(['item_level', 'item', 'item_number'])) }} as items_hash
    from {{ ref('int_affinity_items') }}
    where item_level in ('{{ (var("sequence_levels") or ["none"]) | join("', '") }}')

),

period_days as (

    select
        periods.period_on,
        count(*) as days,
        {{ hash_sum(row_hash(['days.day_on', 'days.made_from'])) }} as days_hash
    from periods
    inner join days
        on
            days.day_on >= {{ days_after('periods.period_on', -sequence_reach()) }}
            and days.day_on <= periods.last_day_on
    group by periods.period_on

)

{%- set parts = ['period_days.days', 'period_days.days_hash', 'items.items_hash'] %}
{#- Those of the grid end with its day: all their periods are made again when it turns. -#}
{%- set on_grid = grid_levels(var('sequence_levels')) %}

select
    period_days.period_on,
    {{ row_hash(parts + (['grid.as_of'] if on_grid else [])) }} as made_from
from period_days
cross join items
{%- if on_grid %}
cross join (
    select max(as_of) as as_of
    from {{ ref('int_affinity_dates') }}
    where item_level in ('{{ on_grid | join("', '") }}')
) as grid
{%- endif %}
