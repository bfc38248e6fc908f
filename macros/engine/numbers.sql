{# Numbers. #}

{# Natural logarithm of the gamma function of `x` > 0. #}
{% macro log_gamma(x) %}{{ return(adapter.dispatch('log_gamma', 'segments_in_use')(x)) }}{% endmacro %}
{% macro duckdb__log_gamma(x) %}lgamma({{ x }}){% endmacro %}
{# Stirling's series at x + 8, carried back by the recurrence gamma(x + 1) = x gamma(x); NIST DLMF 5.11.1. #}
{% macro spark__log_gamma(x) -%}
    (
        (({{ x }}) + 7.5) * ln(({{ x }}) + 8) - (({{ x }}) + 8) + 0.91893853320467274178
        + 1 / (12 * (({{ x }}) + 8)) - 1 / (360 * power(({{ x }}) + 8, 3)) + 1 / (1260 * power(({{ x }}) + 8, 5))
        - 1 / (1680 * power(({{ x }}) + 8, 7))
        - ln(
            cast({{ x }} as double) * (({{ x }}) + 1) * (({{ x }}) + 2) * (({{ x }}) + 3)
            * (({{ x }}) + 4) * (({{ x }}) + 5) * (({{ x }}) + 6) * (({{ x }}) + 7)
        )
    )
{%- endmacro %}

{# Sum of `term` (an expression of k and of columns) over each whole number k from `first_k` to `last_k`, in that order,
   so that the last bit does not depend on threads; 0 where there is no such number. #}
{% macro sum_over_range(term, first_k, last_k) %}{{ return(adapter.dispatch('sum_over_range', 'segments_in_use')(term, first_k, last_k)) }}{% endmacro %}
{% macro duckdb__sum_over_range(term, first_k, last_k) -%}
    coalesce(list_sum(list_transform(generate_series({{ first_k }}, {{ last_k }}), lambda k: {{ term }})), 0e0)
{%- endmacro %}
{% macro spark__sum_over_range(term, first_k, last_k) -%}
    case when {{ last_k }} < {{ first_k }} then 0d else aggregate(
        transform(sequence({{ first_k }}, {{ last_k }}), k -> {{ term }}), 0d, (total, next_term) -> total + next_term
    ) end
{%- endmacro %}
