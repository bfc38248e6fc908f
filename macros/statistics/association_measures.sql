{# The measures of an association rule antecedent -> consequent, as columns, from a relation with the columns
   antecedent_support, consequent_support, support and confidence (doubles) and the counts n_baskets, n_antecedent,
   n_consequent, n_both, expected_both. Names and formulas are those of mlxtend's association_rules (documented at
   mlxtend: frequent_patterns.association_rules); imbalance ratio by Wu, Chen & Han (2010). Null where infinite. #}
{% macro association_measures() -%}
    confidence / consequent_support as lift,
    {#- The share of baskets in which neither item is missing as data: in a log of sales, all of them. #}
    1e0 as representativity,
    support - antecedent_support * consequent_support as leverage,
    case when n_both < n_antecedent then (1e0 - consequent_support) / (1e0 - confidence) end as conviction,
    coalesce(
        (support - antecedent_support * consequent_support)
        / nullif(greatest(
            support * (1e0 - antecedent_support), antecedent_support * (consequent_support - support)
        ), 0e0),
        0e0
    ) as zhangs_metric,
    support / (antecedent_support + consequent_support - support) as jaccard,
    coalesce((confidence - consequent_support) / nullif(1e0 - consequent_support, 0e0), 0e0) as certainty,
    (confidence + support / consequent_support) / 2e0 as kulczynski,
    abs(antecedent_support - consequent_support)
    / (antecedent_support + consequent_support - support) as imbalance_ratio,
    {#- In time, n_both counts one order of the two: there need be no such table then. #}
    case when n_baskets - n_antecedent - n_consequent + n_both >= 0 then
        cast(n_both as double) * (n_baskets - n_antecedent - n_consequent + n_both)
        / nullif(cast(n_antecedent - n_both as double) * (n_consequent - n_both), 0e0)
    end as odds_ratio,
    n_both / nullif(expected_both, 0e0) as size_adjusted_lift
{%- endmacro %}

{# What a pair is, in a word. In a basket: its count against its part of the pairs that baskets of these sizes hold, in standard
   deviations of a Poisson count; a complement above, a substitute below. In time: its count against that of the reverse order,
   in standard deviations of a fair coin; whether the antecedent leads or follows. #}
{% macro pair_relation() -%}
    case
        when sales_window = 'basket' then case
            when n_both - neutral_both >= {{ var('relation_deviations') }} * sqrt(neutral_both) then 'complement'
            when n_both - neutral_both <= -1 * {{ var('relation_deviations') }} * sqrt(neutral_both) then 'substitute'
            else 'independent'
        end
        when n_both - n_reverse >= {{ var('relation_deviations') }} * sqrt(n_both + n_reverse) then 'leads'
        when n_reverse - n_both >= {{ var('relation_deviations') }} * sqrt(n_both + n_reverse) then 'follows'
        else 'either order'
    end
{%- endmacro %}

{# A segment's size-adjusted lift, drawn towards everyone's: the mean of the lift after n_both, which is Poisson with mean
   lift x expected_both, where the lift was gamma with mean global_lift and as much weight as segment_prior_pairs joint
   baskets. Source: DuMouchel (1999), The American Statistician 53, the gamma-Poisson shrinker, with one component and its
   mean known. #}
{% macro shrunk_lift() -%}
    case when global_lift > 0 then
        (n_both + {{ var('segment_prior_pairs') }}e0)
        / (expected_both + {{ var('segment_prior_pairs') }}e0 / global_lift)
    end
{%- endmacro %}
