{# Score of an item j for a customer with the items x: share_j + sum over i of (x_i - share_i) x weight_ij. Without history
   the score is share_j - sum over i of share_i x weight_ij, and each item bought moves it from there. Whole billionths throughout. #}
with bought as (

    select
        customer_items.customer_number,
        items.position
    from {{ ref('int_customer_items') }} as customer_items
    inner join {{ ref('int_offer_items') }} as items on customer_items.item_number = items.item_number

),

base_scores as (

    select
        items.position,
        max(items.share) - coalesce(sum(cast(round(others.share * (weights.weight / 1e9)) as bigint)), 0) as score
    from {{ ref('int_offer_items') }} as items
    left join {{ ref('int_item_weights') }} as weights on items.position = weights.other_position
    left join {{ ref('int_offer_items') }} as others on weights.position = others.position
    group by items.position

),

weight_cells as (

    {# The reason of an offer is the item that moves its score most beyond an average customer's: weight x (1 - its share), and
       of equal ones the first. One number says both: the excess ten thousandfold, and the item's place in the last digits. #}
    select
        others.position,
        items.position as bought_position,
        cast(coalesce(weights.weight, 0) as double) as weight,
        case
            when round(weights.weight * (1e0 - items.share / 1e9)) >= 1e0
                then round(weights.weight * (1e0 - items.share / 1e9)) * 10000e0 + (9999 - items.position)
            else 0e0
        end as reason
    from {{ ref('int_offer_items') }} as items
    cross join {{ ref('int_offer_items') }} as others
    left join {{ ref('int_item_weights') }} as weights
        on items.position = weights.position and others.position = weights.other_position

),

item_weights as (

    select
        position,
        {{ ordered_list('weight', 'bought_position') }} as weights,
        {{ ordered_list('reason', 'bought_position') }} as reasons
    from weight_cells
    group by position

),

offered_items as (

    select
        items.position,
        dense_rank() over (order by items.department) as department_number,
        base_scores.score as base_score,
        item_weights.weights
    from {{ ref('int_offer_items') }} as items
    inner join base_scores on items.position = base_scores.position
    inner join item_weights on items.position = item_weights.position
    where items.is_offered

),

customers as (

    select
        members.customer_id,
        numbers.customer_number
    from {{ ref('int_members') }} as members
    inner join {{ ref('int_current_date') }} as dates on members.as_of = dates.as_of
    inner join {{ ref('int_customers') }} as numbers on members.customer_id = numbers.customer_id

),

bought_positions as (

    select
        customer_number,
        {{ unordered_list('position') }} as positions
    from bought
    group by customer_number

),

item_totals as (

    select count(*) as items
    from {{ ref('int_offer_items') }}

),

{# A row of the matrix for every customer, with a place for every item, whether it is offered or not. #}
histories as (

    select
        customers.customer_number,
        {{ marks_at('bought_positions.positions', 'item_totals.items') }} as items_bought
    from customers
    cross join item_totals
    left join bought_positions on customers.customer_number = bought_positions.customer_number

),

{# Every customer's history times every item's weights, where the history has not the item. #}
candidates as (

    select
        histories.customer_number,
        items.position,
        items.department_number,
        items.base_score + cast({{ dot_product('histories.items_bought', 'items.weights') }} as bigint) as score
    from histories
    cross join offered_items as items
    where {{ element_at('histories.items_bought', 'items.position') }} = 0

),

contenders as (

    {{ contenders('candidates', var('offers_per_customer')) | indent(4) }}

),

department_ranks as (

    select
        contenders.*,
        row_number() over (
            partition by customer_number, department_number order by score desc, position asc
        ) as department_rank
    from contenders

),

choices as (

    select
        department_ranks.*,
        row_number() over (
            partition by customer_number
            order by
                case
                    when department_rank > {{ var('offers_per_department') }} and offer_level.item_level <> 'department' then 1
                    else 0
                end,
                score desc,
                position asc
        ) as choice
    from department_ranks
    cross join {{ ref('int_offer_level') }} as offer_level
    where department_rank <= {{ var('offers_per_customer') }}

),

offers as (

    select
        choices.*,
        row_number() over (partition by customer_number order by score desc, position asc) as offer_rank
    from choices
    where choice <= {{ var('offers_per_customer') }}

),

reasons as (

    select
        offers.customer_number,
        offers.position,
        cast(nullif({{ largest_at('item_weights.reasons', 'bought_positions.positions') }}, 0e0) as bigint) as reason
    from offers
    inner join bought_positions on offers.customer_number = bought_positions.customer_number
    inner join item_weights on offers.position = item_weights.position

)

select
    customers.customer_id,
    cast(offers.offer_rank as integer) as offer_rank,
    offer_level.item_level,
    items.item,
    cast(offers.score as double) / 1e9 as score,
    reason_items.item as because_item,
    customer_items.last_bought_on as because_last_bought_on,
    cast(customer_items.baskets as bigint) as because_times_bought
from offers
cross join {{ ref('int_offer_level') }} as offer_level
inner join customers on offers.customer_number = customers.customer_number
inner join {{ ref('int_offer_items') }} as items on offers.position = items.position
left join reasons on offers.customer_number = reasons.customer_number and offers.position = reasons.position
left join {{ ref('int_offer_items') }} as reason_items on 9999 - reasons.reason % 10000 = reason_items.position
left join {{ ref('int_customer_items') }} as customer_items
    on
        offers.customer_number = customer_items.customer_number
        and reason_items.item_number = customer_items.item_number
