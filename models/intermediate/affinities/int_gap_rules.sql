{# Rules A -> B that gaps are told by: complements in a basket, from gap_min_lift on, of items that offers may name, B in stock.
   Their money: of what the regular buyers of A (gap_min_baskets baskets with it in the behaviour window) spend in the window, the
   share that they spend on B. At least gap_min_peer_share of them must have bought B: what most of A's regulars do without is
   no gap. #}
{%- set on_grid = grid_levels(offer_levels()) %}
with pairs as (

    select
        tests.item_a,
        tests.item_b,
        tests.n_both,
        tests.expected_both
    from {{ ref('int_pair_tests') }} as tests
    inner join {{ ref('int_offer_level') }} as offer_level on tests.item_level = offer_level.item_level
    where tests.sales_window = 'basket'

    {% if on_grid -%}
    union all

    select
        first_items.item_number as item_a,
        second_items.item_number as item_b,
        tests.n_both,
        tests.expected_both
    from {{ ref('int_grid_pair_tests') }} as tests
    inner join {{ ref('int_offer_level') }} as offer_level on tests.item_level = offer_level.item_level
    inner join {{ ref('int_affinity_items') }} as first_items on tests.item_a = first_items.item_key
    inner join {{ ref('int_affinity_items') }} as second_items on tests.item_b = second_items.item_key
    {%- endif %}

),

rules as (

    select
        item_a as antecedent_number,
        item_b as consequent_number,
        n_both,
        expected_both
    from pairs

    union all

    select
        item_b as antecedent_number,
        item_a as consequent_number,
        n_both,
        expected_both
    from pairs

),

complements as (

    select
        rules.antecedent_number,
        rules.consequent_number,
        rules.n_both,
        rules.n_both / rules.expected_both as size_adjusted_lift
    from rules
    inner join {{ ref('int_offerable_items') }} as antecedents
        on rules.antecedent_number = antecedents.item_number and antecedents.is_allowed
    inner join {{ ref('int_offerable_items') }} as consequents
        on rules.consequent_number = consequents.item_number and consequents.is_offered
    where
        rules.expected_both > 0
        and rules.n_both >= {{ var('gap_min_lift') }} * rules.expected_both
        and rules.n_both - rules.expected_both >= {{ var('relation_deviations') }} * sqrt(rules.expected_both)

),

customer_spends as (

    select
        customer_number,
        sum(spend) as spend
    from {{ ref('int_item_spends') }}
    group by customer_number

),

regulars as (

    select
        item_spends.item_number,
        item_spends.customer_number,
        customer_spends.spend
    from {{ ref('int_item_spends') }} as item_spends
    inner join customer_spends on item_spends.customer_number = customer_spends.customer_number
    where item_spends.baskets >= {{ var('gap_min_baskets') }}

),

peers as (

    select
        item_number,
        count(*) as peers,
        sum(spend) as spend
    from regulars
    group by item_number

),

peer_spends as (

    select
        complements.antecedent_number,
        complements.consequent_number,
        count(*) as peers_with_item,
        sum(item_spends.spend) as spend
    from complements
    inner join regulars on complements.antecedent_number = regulars.item_number
    inner join {{ ref('int_item_spends') }} as item_spends
        on
            regulars.customer_number = item_spends.customer_number
            and complements.consequent_number = item_spends.item_number
    where item_spends.baskets > 0
    group by complements.antecedent_number, complements.consequent_number

)

select
    complements.antecedent_number,
    complements.consequent_number,
    complements.n_both,
    complements.size_adjusted_lift,
    peers.peers,
    peer_spends.peers_with_item,
    cast(peer_spends.spend as double) / cast(peers.spend as double) as wallet_share
from complements
inner join peers on complements.antecedent_number = peers.item_number
inner join peer_spends
    on
        complements.antecedent_number = peer_spends.antecedent_number
        and complements.consequent_number = peer_spends.consequent_number
where
    peers.spend > 0
    and peer_spends.spend > 0
    and peer_spends.peers_with_item >= {{ var('gap_min_peer_share') }} * peers.peers
