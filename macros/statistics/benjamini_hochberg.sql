{# Benjamini–Hochberg q-values as two window expressions, so that any model can use them in two selects.
   Source: Benjamini & Hochberg (1995), JRSS B 57: q(i) = min over j >= i of p(j) * m / j, at most 1.

   1. {{ bh_rank(...) }} as bh_rank, {{ bh_count(...) }} as bh_count  in one select
   2. {{ bh_q_value('p_value', ...) }} as q_value                     in the next
   Null p-values are not counted and get a null q. `order_by` breaks ties, so that row order does not matter. #}
{% macro bh_rank(p_value, partition_by, order_by) -%}
    row_number() over (partition by {{ partition_by }} order by {{ p_value }} asc nulls last, {{ order_by }})
{%- endmacro %}

{% macro bh_count(p_value, partition_by) -%}
    count({{ p_value }}) over (partition by {{ partition_by }})
{%- endmacro %}

{% macro bh_q_value(p_value, partition_by) -%}
    case when {{ p_value }} is not null then least(
        1e0,
        min({{ p_value }} * bh_count / bh_rank) over (
            partition by {{ partition_by }} order by bh_rank desc rows between unbounded preceding and current row
        )
    ) end
{%- endmacro %}
