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
    cast(n_both as double) * (n_baskets - n_antecedent - n_consequent + n_both)
    / nullif(cast(n_antecedent - n_both as double) * (n_consequent - n_both), 0e0) as odds_ratio,
    n_both / nullif(expected_both, 0e0) as size_adjusted_lift
{%- endmacro %}
