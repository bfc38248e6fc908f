{# The item level that offers and gaps are made on, in one row: var offer_level or, where fewer than min_offer_items items of it are
   known, the next finer level that has as many; product, the last one, whatever there is. Known is what was ever sold as
   merchandise before the as-of date, whether it may be offered or is in stock: neither is to move all offers to another level. #}
{%- set levels = offer_levels() -%}
{#- Of the last level there need not be as many. -#}
{%- set counted_levels = levels[:-1] or ['none'] -%}
with sold_items as (

    select
        facts.item_level,
        facts.item_key
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join {{ ref('int_current_date') }} as dates on facts.bought_on < dates.as_of
    where facts.item_level in ('{{ counted_levels | join("', '") }}')
    group by facts.item_level, facts.item_key

),

counts as (

    select
        item_level,
        count(*) as items
    from sold_items
    group by item_level

),

levels as (

    {% for level in levels %}
    select {{ loop.index }} as place, cast('{{ level }}' as string) as item_level
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

known_levels as (

    select
        levels.place,
        levels.item_level,
        case when levels.place < {{ levels | length }} then coalesce(counts.items, 0) end as items,
        levels.place = {{ levels | length }} or coalesce(counts.items, 0) >= {{ var('min_offer_items') }} as is_enough
    from levels
    left join counts on levels.item_level = counts.item_level

)

select
    known.item_level,
    cast(known.items as bigint) as items,
    wanted.item_level as level_wanted,
    cast(wanted.items as bigint) as items_wanted
from known_levels as known
inner join (select min(place) as place from known_levels where is_enough) as first_level
    on known.place = first_level.place
inner join known_levels as wanted on wanted.place = 1
