with customer_spends as (

    select
        customer_number,
        cast(sum(spend) as double) as spend
    from {{ ref('int_item_spends') }}
    group by customer_number

),

candidates as (

    select
        regulars.customer_number,
        rules.antecedent_number,
        rules.consequent_number,
        rules.size_adjusted_lift,
        rules.n_both,
        rules.peers,
        rules.peers_with_item,
        regulars.baskets,
        rules.wallet_share * customer_spends.spend as expected_value,
        row_number() over (
            partition by regulars.customer_number, rules.consequent_number
            order by rules.size_adjusted_lift desc, rules.antecedent_number asc
        ) as reason_rank
    from {{ ref('int_item_spends') }} as regulars
    inner join customer_spends on regulars.customer_number = customer_spends.customer_number
    inner join {{ ref('int_gap_rules') }} as rules on regulars.item_number = rules.antecedent_number
    left join {{ ref('int_customer_items') }} as bought
        on
            regulars.customer_number = bought.customer_number
            and rules.consequent_number = bought.item_number
    where
        regulars.baskets >= {{ var('gap_min_baskets') }}
        and customer_spends.spend > 0
        and bought.item_number is null

),

ranked_gaps as (

    select
        candidates.*,
        row_number() over (
            partition by customer_number order by expected_value desc, consequent_number asc
        ) as gap_rank
    from candidates
    where reason_rank = 1

),

customers as (

    select customer_id, customer_number
    from {{ ref('int_customers') }}

)

select
    customers.customer_id,
    cast(ranked_gaps.gap_rank as integer) as gap_rank,
    because_items.item_level,
    because_items.item as because_item,
    cast(ranked_gaps.baskets as bigint) as because_times_bought,
    customer_items.last_bought_on as because_last_bought_on,
    gap_items.item as gap_item,
    cast(ranked_gaps.n_both as bigint) as n_both,
    ranked_gaps.size_adjusted_lift,
    cast(ranked_gaps.peers as bigint) as peers,
    cast(ranked_gaps.peers_with_item as bigint) as peers_with_gap_item,
    {{ rounded_decimal('ranked_gaps.expected_value', 2) }} as expected_value
from ranked_gaps
inner join customers on ranked_gaps.customer_number = customers.customer_number
inner join {{ ref('int_affinity_items') }} as because_items
    on ranked_gaps.antecedent_number = because_items.item_number
inner join {{ ref('int_affinity_items') }} as gap_items on ranked_gaps.consequent_number = gap_items.item_number
inner join {{ ref('int_customer_items') }} as customer_items
    on
        ranked_gaps.customer_number = customer_items.customer_number
        and ranked_gaps.antecedent_number = customer_items.item_number
where ranked_gaps.gap_rank <= {{ var('gaps_per_customer') }}
