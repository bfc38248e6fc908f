{# Those of the rows of `candidates` (customer_number, department_number, position, score) that can be among a customer's
   `places` best, of which so many a department come first. The best item of each of `places` departments is one of those that
   come first, whatever that number is; so nothing is chosen that scores less than the last of them, and most rows are left out
   before anything is sorted. Customers with candidates of fewer departments keep all.

   Spark computes a common table expression as often as it is read, so there it would score every candidate twice: all are kept. #}
{% macro contenders(candidates, places) %}{{ return(adapter.dispatch('contenders', 'segments_in_use')(candidates, places)) }}{% endmacro %}
{% macro duckdb__contenders(candidates, places) -%}
select candidates.*
from {{ candidates }} as candidates
left join (
    select
        customer_number,
        max(score) as score,
        row_number() over (partition by customer_number order by max(score) desc) as place
    from {{ candidates }}
    group by customer_number, department_number
) as department_bests
    on candidates.customer_number = department_bests.customer_number and department_bests.place = {{ places }}
where department_bests.score is null or candidates.score >= department_bests.score
{%- endmacro %}
{% macro spark__contenders(candidates, places) -%}
select *
from {{ candidates }}
{%- endmacro %}
