{# Size deciles of baskets and customers, and the joint count that sizes alone would lead to expect. Ten columns rather than
   ten rows: each sum then has one fixed order, whatever the threads, and needs no group by. #}

{# Decile 1 to 10 of a size, from one row a size with its number of units: 1 + floor(10 x units strictly smaller / units). #}
{% macro size_decile(units, partition_by, size) -%}
    1 + cast(floor(
        10e0 * (sum({{ units }}) over (partition by {{ partition_by }} order by {{ size }}) - {{ units }})
        / sum({{ units }}) over (partition by {{ partition_by }})
    ) as integer)
{%- endmacro %}

{# Columns n_1 to n_10: sums of `units` by the column `decile`. #}
{% macro decile_columns(units) -%}
    {%- for decile in range(1, 11) %}
    cast(sum(case when decile = {{ decile }} then {{ units }} else 0 end) as bigint) as n_{{ decile }}{{ ',' if not loop.last }}
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
