with rules as (

    select
        item_level,
        item_a as antecedent,
        item_b as consequent,
        n_baskets,
        n_a as n_antecedent,
        n_b as n_consequent,
        n_both,
        expected_both,
        p_value,
        q_value
    from {{ ref('int_pair_tests') }}

    union all

    select
        item_level,
        item_b as antecedent,
        item_a as consequent,
        n_baskets,
        n_b as n_antecedent,
        n_a as n_consequent,
        n_both,
        expected_both,
        p_value,
        q_value
    from {{ ref('int_pair_tests') }}

),

supports as (

    select
        rules.*,
        cast(n_antecedent as double) / n_baskets as antecedent_support,
        cast(n_consequent as double) / n_baskets as consequent_support,
        cast(n_both as double) / n_baskets as support,
        (cast(n_both as double) / n_baskets) / (cast(n_antecedent as double) / n_baskets) as confidence
    from rules

)

select
    item_level,
    'basket' as {{ adapter.quote('window') }},
    antecedent,
    consequent,
    n_baskets,
    n_antecedent,
    n_consequent,
    n_both,
    antecedent_support,
    consequent_support,
    support,
    confidence,
    {{ association_measures() }},
    p_value,
    q_value
from supports
