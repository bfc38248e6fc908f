{# Size deciles of baskets and customers, and the joint count that sizes alone would lead to expect. Ten columns rather than
   ten rows: each sum then has one fixed order, whatever the threads, and needs no group by. #}

{# Decile 1 to 10 of a size, from one row a size with its number of units: 1 + floor(10 x units strictly smaller / units). #}
{% macro size_decile(units, partition_by, size) -%}
    1 + cast(floor(
        10e0 * (sum({{ units }}) over (partition by {{ partition_by }} order by {{ size }}) - {{ units }})
        / sum({{ units }}) over (partition by {{ partition_by }})
    ) as integer)
{%- endmacro %}

{# Columns n_1 to n_10, or of another prefix: sums of `units` by the column `decile`. #}
{% macro decile_columns(units, prefix='n') -%}
    {%- for decile in range(1, 11) %}
    cast(sum(case when decile = {{ decile }} then {{ units }} else 0 end) as bigint) as {{ prefix }}_{{ decile }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Sum over deciles of n_a x n_b / n, of three relations with the columns n_1 to n_10. #}
{% macro expected_by_size(counts_a, counts_b, size_counts) -%}
    {%- for decile in range(1, 11) %}
    {{ '+ ' if not loop.first }}coalesce(
        cast({{ counts_a }}.n_{{ decile }} as double) * {{ counts_b }}.n_{{ decile }}
        / nullif({{ size_counts }}.n_{{ decile }}, 0), 0e0
    )
    {%- endfor %}
{%- endmacro %}

{# A select from `counts` (columns item_key, n_1 to n_10, pairs_1 to pairs_10 and `keys`; item_key is null in the row of all units):
   for each of the keys the columns n_1 to n_10 of all units, and share_1 to share_10, by which n_a x n_b / n must be
   multiplied for the pairs of a decile to add up to the pairs that its units hold, n x sum of s (s - 1) over the square of the
   sum of n_i less the sum of their squares. A unit with one item holds none, one with two less than chance would have it. #}
{% macro pair_shares(counts, keys) -%}
select
    {{ keys | join(', ') }}
    {%- for decile in range(1, 11) %},
    cast(sum(case when item_key is null then n_{{ decile }} else 0 end) as double) as n_{{ decile }},
    cast(sum(case when item_key is null then n_{{ decile }} else 0 end) as double)
    * sum(case when item_key is null then pairs_{{ decile }} else 0 end)
    / nullif(
        cast(sum(case when item_key is not null then n_{{ decile }} else 0 end) as double)
        * sum(case when item_key is not null then n_{{ decile }} else 0 end)
        - cast(sum(cast(
            case when item_key is not null then n_{{ decile }} * n_{{ decile }} else 0 end as decimal(38, 0)
        )) as double),
        0e0
    ) as share_{{ decile }}
    {%- endfor %}
from {{ counts }}
group by {{ keys | join(', ') }}
{%- endmacro %}

{# Common table expressions, the last one `item_counts` (`keys`, item_key, n_units, n_1 to n_10, and three lists of 120 doubles, a
   place a calendar month and decile): units with each item (item_key, null for units whatever they hold) in all, and by decile of
   their size. Of two items, the joint units that size and month lead to expect are the dot product of season_counts of the one
   and season_rates of the other, n_b / n, or with season_neutrals, in which the pairs of a size and month add up to those that its
   units hold (pair_shares). Null lists where an item has fewer than min_pair_count units, and in the row of all units.

   `counts` has `keys`, size, month (1 to 12), item_key and units. #}
{% macro item_counts_by_decile(counts, keys) %}
{%- set listed = keys | join(', ') -%}
sizes_counted as (

    select
        {{ listed }},
        size,
        sum(units) as units
    from {{ counts }}
    where item_key is null
    group by {{ listed }}, size

),

size_deciles as (

    select
        {{ listed }},
        size,
        {{ size_decile('units', listed, 'size') }} as decile
    from sizes_counted

),

placed_counts as (

    select
        {%- for key in keys %}
        counts.{{ key }},
        {%- endfor %}
        counts.month,
        counts.item_key,
        counts.units,
        case when counts.item_key is null then counts.units * counts.size * (counts.size - 1) else 0 end as pairs,
        size_deciles.decile
    from {{ counts }} as counts
    inner join size_deciles on {{ equal_keys('counts', 'size_deciles', keys) }} and counts.size = size_deciles.size

),

month_counts as (

    select
        {{ listed }},
        month,
        item_key,
        sum(units) as n_units,
        {{ decile_columns('units') }},
        {{ decile_columns('pairs', 'pairs') }}
    from placed_counts
    group by {{ listed }}, month, item_key

),

month_shares as (

    {{ pair_shares('month_counts', keys + ['month']) | indent(4) }}

),

all_counts as (

    select
        {{ listed }},
        item_key,
        cast(sum(n_units) as bigint) as n_units
        {%- for decile in range(1, 11) %},
        cast(sum(n_{{ decile }}) as bigint) as n_{{ decile }}
        {%- endfor %}
    from month_counts
    group by {{ listed }}, item_key

),

months as (

    {% for month in range(1, 13) -%}
    select {{ month }} as month
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

item_months as (

    select
        {%- for key in keys %}
        items.{{ key }},
        {%- endfor %}
        items.item_key,
        months.month,
        {{ list_of_deciles('cast(coalesce(month_counts.n_DECILE, 0) as double)') }} as counts,
        {{ list_of_deciles('coalesce(month_counts.n_DECILE / nullif(month_shares.n_DECILE, 0e0), 0e0)') }} as rates,
        {{ list_of_deciles('coalesce(month_counts.n_DECILE / nullif(month_shares.n_DECILE, 0e0) * month_shares.share_DECILE, 0e0)') }} as neutrals
    from all_counts as items
    cross join months
    left join month_counts
        on
            {{ equal_keys('items', 'month_counts', keys) }}
            and items.item_key = month_counts.item_key
            and months.month = month_counts.month
    left join month_shares on {{ equal_keys('items', 'month_shares', keys) }} and months.month = month_shares.month
    where items.item_key is not null and items.n_units >= {{ var('min_pair_count') }}

),

item_seasons as (

    select
        {{ listed }},
        item_key,
        flatten({{ ordered_list('counts', 'month') }}) as season_counts,
        flatten({{ ordered_list('rates', 'month') }}) as season_rates,
        flatten({{ ordered_list('neutrals', 'month') }}) as season_neutrals
    from item_months
    group by {{ listed }}, item_key

),

item_counts as (

    select
        all_counts.*,
        item_seasons.season_counts,
        item_seasons.season_rates,
        item_seasons.season_neutrals
    from all_counts
    left join item_seasons on {{ equal_keys('all_counts', 'item_seasons', keys) }} and all_counts.item_key = item_seasons.item_key

)
{%- endmacro %}

{# The joint units of two rows of such counts that size and month lead to expect; of `rates`, season_rates or season_neutrals. #}
{% macro expected_by_season(counts_a, counts_b, rates='season_rates') -%}
    {{ dot_product(counts_a ~ '.season_counts', counts_b ~ '.' ~ rates) }}
{%- endmacro %}

{# A condition: two relations are equal in some columns. #}
{% macro equal_keys(a, b, keys) -%}
    {%- for key in keys %}{{ a }}.{{ key }} = {{ b }}.{{ key }}{{ ' and ' if not loop.last }}{% endfor -%}
{%- endmacro %}

{# A list of an expression for each decile, whose number stands where the expression says DECILE. #}
{% macro list_of_deciles(expression) -%}
    {%- set values = [] -%}
    {%- for decile in range(1, 11) -%}{%- do values.append(expression | replace('DECILE', decile)) -%}{%- endfor -%}
    {{- list_of(values) -}}
{%- endmacro %}
