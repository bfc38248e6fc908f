{# Lists, folds and bits: what the two engines write differently. Each returns an expression. #}

{# 1 + r1 (1 + r2 (1 + … r_n)): the sum of a series whose j-th term is the one before times `ratio` (an expression of j);
   summed from the far end, so the last bit does not depend on threads. 1 where `terms` < 1. #}
{% macro nested_sum(ratio, terms) %}{{ return(adapter.dispatch('nested_sum', 'segments_in_use')(ratio, terms)) }}{% endmacro %}
{# The ratios are a list first: in DuckDB 1.5 list_reduce gives wrong results where its lambda reads other columns. #}
{% macro duckdb__nested_sum(ratio, terms) -%}
    list_reduce(
        list_transform(generate_series({{ terms }}, 1, -1), lambda j: cast({{ ratio }} as double)),
        lambda total, ratio: 1e0 + total * ratio,
        1e0
    )
{%- endmacro %}
{% macro spark__nested_sum(ratio, terms) -%}
    case when {{ terms }} < 1 then 1d else aggregate(
        transform(sequence({{ terms }}, cast(1 as bigint), cast(-1 as bigint)), j -> cast({{ ratio }} as double)),
        1d, (total, ratio) -> 1d + total * ratio
    ) end
{%- endmacro %}

{# 2 to the power `exponent`, a whole number from 0 to 62, as bigint. #}
{% macro power_of_two(exponent) %}{{ return(adapter.dispatch('power_of_two', 'segments_in_use')(exponent)) }}{% endmacro %}
{% macro duckdb__power_of_two(exponent) %}(cast(1 as bigint) << cast({{ exponent }} as bigint)){% endmacro %}
{% macro spark__power_of_two(exponent) %}shiftleft(cast(1 as bigint), cast({{ exponent }} as int)){% endmacro %}

{# The bit of `number` at `place` (0 to 62), as 0 or 1. #}
{% macro bit_at(number, place) %}{{ return(adapter.dispatch('bit_at', 'segments_in_use')(number, place)) }}{% endmacro %}
{% macro duckdb__bit_at(number, place) %}(({{ number }} >> {{ place }}) & 1){% endmacro %}
{% macro spark__bit_at(number, place) %}(shiftright({{ number }}, {{ place }}) & 1){% endmacro %}

{# The values of a group as a list, in the order of `position` (unique in the group). #}
{% macro ordered_list(expression, position) %}{{ return(adapter.dispatch('ordered_list', 'segments_in_use')(expression, position)) }}{% endmacro %}
{% macro duckdb__ordered_list(expression, position) %}list({{ expression }} order by {{ position }}){% endmacro %}
{% macro spark__ordered_list(expression, position) -%}
    transform(array_sort(collect_list(struct({{ position }} as list_position, {{ expression }} as list_value))), x -> x.list_value)
{%- endmacro %}

{# A list of some expressions. #}
{% macro list_of(values) %}{{ return(adapter.dispatch('list_of', 'segments_in_use')(values)) }}{% endmacro %}
{% macro duckdb__list_of(values) %}[{{ values | join(', ') }}]{% endmacro %}
{% macro spark__list_of(values) %}array({{ values | join(', ') }}){% endmacro %}

{# The sum of the products of two lists of doubles, equally long. Exact where they are whole numbers and every partial sum stays
   below 2^53, so that its order does not matter. #}
{% macro dot_product(a, b) %}{{ return(adapter.dispatch('dot_product', 'segments_in_use')(a, b)) }}{% endmacro %}
{% macro duckdb__dot_product(a, b) %}list_dot_product({{ a }}, {{ b }}){% endmacro %}
{% macro spark__dot_product(a, b) -%}
    aggregate(zip_with({{ a }}, {{ b }}, (x, y) -> x * y), 0d, (total, product) -> total + product)
{%- endmacro %}

{# The element of a list at a place, a whole number from 1. #}
{% macro element_at(values, place) %}{{ return(adapter.dispatch('element_at', 'segments_in_use')(values, place)) }}{% endmacro %}
{% macro duckdb__element_at(values, place) %}{{ values }}[{{ place }}]{% endmacro %}
{% macro spark__element_at(values, place) %}element_at({{ values }}, cast({{ place }} as int)){% endmacro %}

{# The largest element of a list among the places given, a list of whole numbers from 1; null where there are none. #}
{% macro largest_at(values, places) %}{{ return(adapter.dispatch('largest_at', 'segments_in_use')(values, places)) }}{% endmacro %}
{% macro duckdb__largest_at(values, places) %}list_max(list_transform({{ places }}, lambda place: {{ values }}[place])){% endmacro %}
{% macro spark__largest_at(values, places) -%}
    array_max(transform({{ places }}, place -> element_at({{ values }}, cast(place as int))))
{%- endmacro %}

{# A list of `length` doubles: 1 at the places that another list holds, whole numbers from 1, and 0 elsewhere; 0 everywhere where
   there is no such list. #}
{% macro marks_at(places, length) %}{{ return(adapter.dispatch('marks_at', 'segments_in_use')(places, length)) }}{% endmacro %}
{% macro duckdb__marks_at(places, length) -%}
    list_transform(range(1, {{ length }} + 1), lambda place: cast(coalesce(list_contains({{ places }}, place), false) as double))
{%- endmacro %}
{% macro spark__marks_at(places, length) -%}
    transform(sequence(1l, {{ length }}), place -> if(array_contains({{ places }}, place), 1d, 0d))
{%- endmacro %}

{# The values of a column as a list, in no order. #}
{% macro unordered_list(expression) %}{{ return(adapter.dispatch('unordered_list', 'segments_in_use')(expression)) }}{% endmacro %}
{% macro duckdb__unordered_list(expression) %}list({{ expression }}){% endmacro %}
{% macro spark__unordered_list(expression) %}collect_list({{ expression }}){% endmacro %}

{# Two values as one, with the fields `major` and `minor`: the larger of two such pairs has the larger major or, of equal ones, the
   larger minor. So max() finds in one pass what row_number() sorts for. #}
{% macro ordered_pair(major, minor) %}{{ return(adapter.dispatch('ordered_pair', 'segments_in_use')(major, minor)) }}{% endmacro %}
{% macro duckdb__ordered_pair(major, minor) %}struct_pack(major := {{ major }}, minor := {{ minor }}){% endmacro %}
{% macro spark__ordered_pair(major, minor) %}struct({{ major }} as major, {{ minor }} as minor){% endmacro %}
