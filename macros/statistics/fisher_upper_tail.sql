{# One-sided Fisher exact test, upper tail: P(X >= n_both) for a hypergeometric X with n_baskets, n_a, n_b.

   `relation` has one row per `keys` with columns n_baskets, n_a, n_b, n_both (whole numbers). Returns a select of `keys`
   and p_value (0 to 1). The terms are summed outward from the observed count: the upper tail itself when the count is
   above the mean, else one minus the lower tail, over 12 standard deviations and 60 terms more, beyond which terms do
   not show in a double. Source: Fisher (1935); terms by log-gamma, NIST DLMF 5.2. #}
{% macro fisher_upper_tail(relation, keys) %}
    {%- set term -%}
        exp(
            log_constant
            - {{ log_gamma('k + 1') }} - {{ log_gamma('n_a - k + 1') }}
            - {{ log_gamma('n_b - k + 1') }} - {{ log_gamma('n_baskets - n_a - n_b + k + 1') }}
        )
    {%- endset %}
    select
        {{ keys | join(', ') }},
        case
            when is_above_mean
                then least(1e0, {{ sum_over_range(term, 'n_both', 'least(least(n_a, n_b), n_both + reach)') }})
            else greatest(0e0, least(
                1e0,
                1e0 - {{ sum_over_range(term, 'greatest(greatest(cast(0 as bigint), n_a + n_b - n_baskets), n_both - 1 - reach)', 'n_both - 1') }}
            ))
        end as p_value
    from (
        select
            {{ keys | join(', ') }}, n_baskets, n_a, n_b, n_both,
            n_both > cast(n_a as double) * n_b / n_baskets as is_above_mean,
            cast(60 + ceil(12 * sqrt(
                (cast(n_a as double) * n_b / n_baskets)
                * (cast(n_baskets - n_a as double) / n_baskets)
                * (cast(n_baskets - n_b as double) / greatest(n_baskets - 1, 1))
            )) as bigint) as reach,
            {{ log_gamma('n_a + 1') }} + {{ log_gamma('n_baskets - n_a + 1') }}
            + {{ log_gamma('n_b + 1') }} + {{ log_gamma('n_baskets - n_b + 1') }}
            - {{ log_gamma('n_baskets + 1') }} as log_constant
        from {{ relation }}
    ) as moments
{% endmacro %}
