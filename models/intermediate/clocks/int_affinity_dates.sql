{# The day before which the affinities of each level are counted: the as-of date for departments and categories, and for
   subcategories and products the last start of affinity_grid on or before it. A level without an order before its day has no row. #}
with dates as (

    select
        dates.as_of,
        {% if var('affinity_grid') == 'week' -%}
        {{ days_after('dates.as_of', '1 - ' ~ iso_weekday('dates.as_of')) }} as grid_on,
        {%- elif var('affinity_grid') == 'month' -%}
        {{ month_start('dates.as_of') }} as grid_on,
        {%- elif var('affinity_grid') == 'day' -%}
        dates.as_of as grid_on,
        {%- else -%}
        {{ exceptions.raise_compiler_error("var affinity_grid: " ~ var('affinity_grid') ~ " is none of week, month, day") }}
        {%- endif %}
        first_days.first_day_on
    from {{ ref('int_current_date') }} as dates
    cross join (select min(day_on) as first_day_on from {{ ref('int_order_days') }}) as first_days

),

levels as (

    {% for level in (var('affinity_levels') + var('sequence_levels') + offer_levels()) | unique %}
    select
        cast('{{ level }}' as string) as item_level,
        {{ 'grid_on' if grid_levels([level]) else 'as_of' }} as as_of,
        first_day_on
    from dates
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    item_level,
    as_of
from levels
where first_day_on < as_of
