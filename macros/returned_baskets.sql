{# A basket of which everything has come back before an as-of date is no basket on it (int_returned_baskets). #}

{# The join that finds those, for `rows`, the alias of a relation with basket_number; to be left out are the rows for which it does:
   `where returned.basket_number is null`. #}
{% macro with_returned_baskets(rows, as_of) -%}
left join {{ ref('int_returned_baskets') }} as returned
    on {{ rows }}.basket_number = returned.basket_number and returned.returned_on < {{ as_of }}
{%- endmacro %}

{# The local days on which baskets that came back before the current as-of date were filled, each with a hash of those baskets, and
   of when each had come back, since some count as of an earlier day: a select. Counts that are kept by period are made again where
   it changes; the days themselves are as they were. #}
{% macro returned_days() -%}
select
    filled.day_on,
    {{ hash_sum(row_hash(['filled.basket_number', 'filled.returned_on'])) }} as baskets_hash
from (
    select basket_number, basket_on as day_on, returned_on from {{ ref('int_returned_baskets') }}
    union
    select returned.basket_number, others.ordered_on as day_on, returned.returned_on
    from {{ ref('int_returned_baskets') }} as returned
    inner join {{ ref('int_long_orders') }} as others on returned.basket_number = others.basket_number
) as filled
inner join {{ ref('int_as_of_dates') }} as dates on dates.is_current and filled.returned_on < dates.as_of
group by filled.day_on
{%- endmacro %}
