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

{# Sum over deciles of n_a x n_b / n, of three relations with the columns n_1 to n_10; times share_1 to share_10 of the
   relation `shares`, where it is given. #}
{% macro expected_by_size(counts_a, counts_b, size_counts, shares=none) -%}
    {%- for decile in range(1, 11) %}
    {{ '+ ' if not loop.first }}coalesce(
        cast({{ counts_a }}.n_{{ decile }} as double) * {{ counts_b }}.n_{{ decile }}
        / nullif({{ size_counts }}.n_{{ decile }}, 0){{ ' * ' ~ shares ~ '.share_' ~ decile if shares }}, 0e0
    )
    {%- endfor %}
{%- endmacro %}

{# A select from int_item_counts: for each level and window the columns share_1 to share_10, by which n_a x n_b / n must be
   multiplied for the pairs of a decile to add up to the pairs that its units hold, n x sum of s (s - 1) over the square of the
   sum of n_i less the sum of their squares. A unit with one item holds none, one with two less than chance would have it. #}
{% macro pair_shares(counts) -%}
select
    item_level,
    sales_window
    {%- for decile in range(1, 11) %},
    cast(sum(case when item_number = 0 then n_{{ decile }} else 0 end) as double)
    * sum(case when item_number = 0 then pairs_{{ decile }} else 0 end)
    / nullif(
        cast(sum(case when item_number <> 0 then n_{{ decile }} else 0 end) as double)
        * sum(case when item_number <> 0 then n_{{ decile }} else 0 end)
        - cast(sum(cast(case when item_number <> 0 then n_{{ decile }} * n_{{ decile }} else 0 end as decimal(38, 0))) as double),
        0e0
    ) as share_{{ decile }}
    {%- endfor %}
from {{ counts }}
group by item_level, sales_window
{%- endmacro %}

{# Common table expressions, the last one `item_counts`: units with each item (item_key, null for units whatever they hold) in all,
   and by decile of their size; and the ordered pairs in them. `counts` has item_level, sales_window, size, item_key and units. #}
{% macro item_counts_by_decile(counts) %}
size_deciles as (

    select
        item_level,
        sales_window,
        size,
        {{ size_decile('units', 'item_level, sales_window', 'size') }} as decile
    from {{ counts }}
    where item_key is null

),

placed_counts as (

    select
        counts.item_level,
        counts.sales_window,
        counts.item_key,
        counts.units,
        case when counts.item_key is null then counts.units * counts.size * (counts.size - 1) else 0 end as pairs,
        size_deciles.decile
    from {{ counts }} as counts
    inner join size_deciles
        on
            counts.item_level = size_deciles.item_level
            and counts.sales_window = size_deciles.sales_window
            and counts.size = size_deciles.size

),

item_counts as (

    select
        item_level,
        sales_window,
        item_key,
        cast(sum(units) as bigint) as n_units,
        {{ decile_columns('units') }},
        {{ decile_columns('pairs', 'pairs') }}
    from placed_counts
    group by item_level, sales_window, item_key

)
{%- endmacro %}
