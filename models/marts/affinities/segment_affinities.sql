with segments as (

    select distinct segment_number, scheme, segment
    from {{ ref('int_segment_customers') }}

),

rules as (

    select
        segment_number,
        item_a as antecedent_number,
        item_b as consequent_number,
        n_baskets,
        n_a as n_antecedent,
        n_b as n_consequent,
        n_both,
        expected_both,
        season_both,
        global_lift,
        p_value,
        q_value
    from {{ ref('int_segment_pair_tests') }}

    union all

    select
        segment_number,
        item_b as antecedent_number,
        item_a as consequent_number,
        n_baskets,
        n_b as n_antecedent,
        n_a as n_consequent,
        n_both,
        expected_both,
        season_both,
        global_lift,
        p_value,
        q_value
    from {{ ref('int_segment_pair_tests') }}

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
    segments.scheme,
    segments.segment,
    'category' as item_level,
    'basket' as {{ adapter.quote('window') }},
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
    supports.n_both / nullif(supports.season_both, 0e0) as season_adjusted_lift,
    supports.p_value,
    supports.q_value,
    supports.global_lift,
    {{ shrunk_lift() }} as shrunk_lift
from supports
inner join segments on supports.segment_number = segments.segment_number
inner join {{ ref('int_affinity_items') }} as antecedents on supports.antecedent_number = antecedents.item_number
inner join {{ ref('int_affinity_items') }} as consequents on supports.consequent_number = consequents.item_number
cross join {{ ref('int_current_date') }} as dates
