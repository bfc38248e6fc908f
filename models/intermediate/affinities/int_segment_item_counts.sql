{# Baskets of each segment with each category, in all, by size decile of the segment's own baskets, and by decile and calendar month;
   item_number 0: baskets of each size decile. #}
with segment_facts as (

    select
        segment_number,
        size,
        month,
        item_key,
        units
    from {{ ref('int_segment_sizes') }}

),

{{ item_counts_by_decile('segment_facts', ['segment_number']) | trim }}

select
    segment_number,
    coalesce(item_key, 0) as item_number,
    n_units,
    {% for decile in range(1, 11) -%}
    n_{{ decile }},
    {% endfor -%}
    season_counts,
    season_rates,
    season_neutrals
from item_counts
