with tests as (

    select
        item_level,
        sales_window,
        item_a,
        item_b,
        n_baskets,
        n_a,
        n_b,
        n_both,
        n_reverse,
        expected_both,
        season_both,
        neutral_both,
        p_value,
        q_value
    from {{ ref('int_pair_tests') }}

    union all

    select
        tests.item_level,
        'basket' as sales_window,
        first_items.item_number as item_a,
        second_items.item_number as item_b,
        tests.n_baskets,
        tests.n_a,
        tests.n_b,
        tests.n_both,
        tests.n_both as n_reverse,
        tests.expected_both,
        tests.season_both,
        tests.neutral_both,
        tests.p_value,
        tests.q_value
    from {{ ref('int_grid_pair_tests') }} as tests
    inner join {{ ref('int_affinity_items') }} as first_items on tests.item_a = first_items.item_key
    inner join {{ ref('int_affinity_items') }} as second_items on tests.item_b = second_items.item_key

),

rules as (

    select
        item_level,
        sales_window,
        item_a as antecedent_number,
        item_b as consequent_number,
        n_baskets,
        n_a as n_antecedent,
        n_b as n_consequent,
        n_both,
        n_reverse,
        expected_both,
        season_both,
        neutral_both,
        p_value,
        q_value
    from tests

    union all

    {# An unordered pair is a rule in both directions. #}
    select
        item_level,
        sales_window,
        item_b as antecedent_number,
        item_a as consequent_number,
        n_baskets,
        n_b as n_antecedent,
        n_a as n_consequent,
        n_both,
        n_reverse,
        expected_both,
        season_both,
        neutral_both,
        p_value,
        q_value
    from tests
    where sales_window = 'basket'

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
    supports.item_level,
    supports.sales_window as {{ adapter.quote('window') }},
    antecedents.item as antecedent,
    consequents.item as consequent,
    dates.as_of,
    supports.n_baskets,
    supports.n_antecedent,
    supports.n_consequent,
    supports.n_both,
    supports.antecedent_support,
    supports.consequent_support,
    supports.support,
    supports.confidence,
    {# lift to size_adjusted_lift: macros/statistics/association_measures.sql. #}
    {{ association_measures() }},
    case when supports.sales_window = 'basket' then supports.n_both / nullif(supports.season_both, 0e0) end as season_adjusted_lift,
    supports.p_value,
    supports.q_value,
    cast(supports.n_reverse as bigint) as n_reverse,
    {{ pair_relation() }} as relation
from supports
inner join {{ ref('int_affinity_items') }} as antecedents on supports.antecedent_number = antecedents.item_number
inner join {{ ref('int_affinity_items') }} as consequents on supports.consequent_number = consequents.item_number
inner join {{ ref('int_affinity_dates') }} as dates on supports.item_level = dates.item_level
