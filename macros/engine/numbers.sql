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
