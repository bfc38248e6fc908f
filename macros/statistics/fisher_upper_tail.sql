{# One-sided Fisher exact test, upper tail: P(X >= n_both) for a hypergeometric X with n_baskets, n_a, n_b.

   `relation` has one row per `keys` with columns n_baskets, n_a, n_b, n_both (whole numbers). Returns a select of `keys`
   and p_value (0 to 1). The terms run outward from the observed count: the upper tail itself when the count is above the
   mean, else one minus the lower tail. The first term is a ratio of nine factorials. With log m! = m log m - m + r(m), their
   large parts cancel to the deviances of the table's four cells from what its margins lead to expect, so no digits are lost
   and engines agree (the saddle-point form of Loader 2000, Fast and accurate computation of binomial probabilities). The j-th
   further term is the one before times (left_a - j) (left_b - j) / ((past_a + j) (past_b + j)), in either direction, with what
   is left to go and what is past (doubles, which hold whole numbers up to 2^53 exactly). Outward the ratios fall, so
   r^m / (1 - r) bounds what m terms leave out: they stop where that is below 1e-16, at 8.7 standard deviations and 12 terms (a
   normal tail of 1e-17, and the longer one of small counts), or at the end of the range. Sources: Fisher (1935); Stirling's
   series, NIST DLMF 5.11. #}
{% macro fisher_upper_tail(relation, keys) %}
    {%- set ratio = '(left_a - j) * (left_b - j) / ((past_a + j) * (past_b + j))' -%}
    select
        {{ keys | join(', ') }},
        case
            when first_k < lowest_k or first_k > highest_k then case when is_above_mean then 0e0 else 1e0 end
            when is_above_mean then least(1e0, exp(log_first_term) * {{ nested_sum(ratio, 'terms') }})
            else greatest(0e0, least(1e0, 1e0 - exp(log_first_term) * {{ nested_sum(ratio, 'terms') }}))
        end as p_value
    from (
        select
            ranges.*,
            cast(least(
                case when is_above_mean then highest_k - first_k else first_k - lowest_k end,
                ceil(8.7e0 * deviation) + 12,
                case
                    when first_ratio < 0.999e0 then
                        1 + ceil(ln(1e-16 * greatest(1e0 - first_ratio, 1e-3)) / ln(greatest(first_ratio, 1e-300)))
                    else 1e15
                end
            ) as bigint) as terms,
            case when first_k between lowest_k and highest_k then
                {{ log_factorial_rest('n_a') }} + {{ log_factorial_rest('n_baskets - n_a') }}
                + {{ log_factorial_rest('n_b') }} + {{ log_factorial_rest('n_baskets - n_b') }}
                - {{ log_factorial_rest('n_baskets') }}
                {%- for cell in range(1, 5) %}
                - {{ log_factorial_rest('cell_' ~ cell) }} - {{ deviance('cell_' ~ cell, 'mean_' ~ cell, 'apart_' ~ cell) }}
                {%- endfor %}
            end as log_first_term
        from (
            select
                sides.*,
                {# The second term over the first. #}
                (left_a - 1) * (left_b - 1) / ((past_a + 1) * (past_b + 1)) as first_ratio
                {%- for cell in range(1, 5) %},
                (cell_{{ cell }} - mean_{{ cell }}) / nullif(cell_{{ cell }} + mean_{{ cell }}, 0) as apart_{{ cell }}
                {%- endfor %}
            from (
                select
                    starts.*,
                    cast(first_k as double) as cell_1,
                    cast(n_a - first_k as double) as cell_2,
                    cast(n_b - first_k as double) as cell_3,
                    cast(n_baskets - n_a - n_b + first_k as double) as cell_4,
                    cast(n_a as double) * n_b / n_baskets as mean_1,
                    cast(n_a as double) * (n_baskets - n_b) / n_baskets as mean_2,
                    cast(n_baskets - n_a as double) * n_b / n_baskets as mean_3,
                    cast(n_baskets - n_a as double) * (n_baskets - n_b) / n_baskets as mean_4,
                    cast(case when is_above_mean then n_a - first_k else first_k end + 1 as double) as left_a,
                    cast(
                        case when is_above_mean then n_b - first_k else n_baskets - n_a - n_b + first_k end + 1 as double
                    ) as left_b,
                    cast(case when is_above_mean then first_k else n_a - first_k end as double) as past_a,
                    cast(
                        case when is_above_mean then n_baskets - n_a - n_b + first_k else n_b - first_k end as double
                    ) as past_b
                from (
                    select
                        {{ keys | join(', ') }}, n_baskets, n_a, n_b, n_both,
                        greatest(cast(0 as bigint), n_a + n_b - n_baskets) as lowest_k,
                        least(n_a, n_b) as highest_k,
                        n_both > cast(n_a as double) * n_b / n_baskets as is_above_mean,
                        case when n_both > cast(n_a as double) * n_b / n_baskets then n_both else n_both - 1 end as first_k,
                        sqrt(
                            (cast(n_a as double) * n_b / n_baskets)
                            * (cast(n_baskets - n_a as double) / n_baskets)
                            * (cast(n_baskets - n_b as double) / greatest(n_baskets - 1, 1))
                        ) as deviation
                    from {{ relation }}
                ) as starts
            ) as sides
        ) as ranges
    ) as first_terms
{% endmacro %}

{# r(m) in log m! = m log m - m + r(m), of a whole number m: Stirling's series, which is right to the last digits from 16 on; the
   rests of smaller numbers are listed. #}
{% macro log_factorial_rest(m) -%}
    {%- set rests = [
        0.0, 1.0000000000000000, 1.3068528194400547, 1.4959226032237259, 1.6328763858683831, 1.7403021806115441,
        1.8286943966417710, 1.9037903176782212, 1.9690705693065628, 2.0268062840554952, 2.0785616431350585,
        2.1254598450918099, 2.1683346982058824, 2.2078222061234453, 2.2444185681250609, 2.2785183673077406
    ] -%}
    case {{ m }}
        {%- for rest in rests %}
        when {{ loop.index0 }} then {{ rest }}e0
        {%- endfor %}
        else 0.91893853320467274178e0 + 0.5e0 * ln({{ m }}) + (
            1e0 / 12 - (1e0 / 360 - (1e0 / 1260 - 1e0 / 1680 / {{ square(m) }}) / {{ square(m) }}) / {{ square(m) }}
        ) / cast({{ m }} as double)
    end
{%- endmacro %}

{% macro square(m) %}(cast({{ m }} as double) * ({{ m }})){% endmacro %}

{# count x log(count / expected) + expected - count, at least 0. `relative` is (count - expected) / (count + expected); near 0 a
   series of it, because the parts would cancel. All three are columns: Spark takes minutes to plan them written out. #}
{% macro deviance(count, expected, relative) -%}
    {%- set square = relative ~ ' * ' ~ relative -%}
    case
        when {{ count }} = 0 then {{ expected }}
        when abs({{ relative }}) < 0.1e0 then
            ({{ count }} - {{ expected }}) * {{ relative }} + 2e0 * {{ count }} * {{ relative }} * {{ square }} * (
                {%- for j in range(1, 8) %}1e0 / {{ 2 * j + 1 }} + {{ square }} * ({% endfor %}1e0 / 17{{ ')' * 8 }}
        else {{ count }} * ln({{ count }} / {{ expected }}) + {{ expected }} - {{ count }}
    end
{%- endmacro %}
