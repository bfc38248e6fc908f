{# Score of an item j for a customer with the items x: share_j + sum over i of (x_i - share_i) x weight_ij. A customer without
   history gets the most bought items, and each item bought moves the score from there. Whole billionths throughout. #}
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

specific_weights as (

    {# The reason is the item that moves the score most beyond an average customer's: weight x (1 - its share), and of
       equal ones the first. Weight and item in one number, because that is several times faster than a ranking. #}
    select
        weights.position,
        weights.other_position,
        weights.weight,
        case when weights.weight > 0 then
            cast(round(weights.weight * (1e0 - items.share / 1e9)) as bigint) * 10000 + (9999 - weights.position)
        end as reason
    from {{ ref('int_item_weights') }} as weights
    inner join {{ ref('int_offer_items') }} as items on weights.position = items.position

),

history_scores as (

    select
        bought.customer_number,
        specific_weights.other_position as position,
        sum(specific_weights.weight) as score,
        max(specific_weights.reason) as reason
    from bought
    inner join specific_weights on bought.position = specific_weights.position
    group by bought.customer_number, specific_weights.other_position

),

customers as (

    select
        members.customer_id,
        numbers.customer_number
    from {{ ref('int_members') }} as members
    inner join {{ ref('int_as_of_dates') }} as dates on members.as_of = dates.as_of and dates.is_current
    inner join {{ ref('int_customers') }} as numbers on members.customer_id = numbers.customer_id

),

candidates as (

    select
        customers.customer_id,
        customers.customer_number,
        items.position,
        items.department,
        base_scores.score + coalesce(history_scores.score, 0) as score,
        9999 - history_scores.reason % 10000 as reason_position
    from customers
    cross join {{ ref('int_offer_items') }} as items
    inner join base_scores on items.position = base_scores.position
    left join history_scores
        on customers.customer_number = history_scores.customer_number and items.position = history_scores.position
    left join bought on customers.customer_number = bought.customer_number and items.position = bought.position
    where bought.position is null and items.is_offered

),

department_ranks as (

    select
        candidates.*,
        row_number() over (
            partition by customer_id, department order by score desc, position asc
        ) as department_rank
    from candidates

),

choices as (

    select
        department_ranks.*,
        row_number() over (
            partition by customer_id
            order by
                {% if var('offer_level') != 'department' -%}
                case when department_rank > {{ var('offers_per_department') }} then 1 else 0 end,
                {% endif -%}
                score desc,
                position asc
        ) as choice
    from department_ranks
    where department_rank <= {{ var('offers_per_customer') }}

),

offers as (

    select
        choices.*,
        row_number() over (partition by customer_id order by score desc, position asc) as offer_rank
    from choices
    where choice <= {{ var('offers_per_customer') }}

)

select
    offers.customer_id,
    cast(offers.offer_rank as integer) as offer_rank,
    '{{ var("offer_level") }}' as item_level,
    items.item,
    cast(offers.score as double) / 1e9 as score,
    reasons.item as because_item,
    customer_items.last_bought_on as because_last_bought_on,
    cast(customer_items.baskets as bigint) as because_times_bought
from offers
inner join {{ ref('int_offer_items') }} as items on offers.position = items.position
left join {{ ref('int_offer_items') }} as reasons on offers.reason_position = reasons.position
left join {{ ref('int_customer_items') }} as customer_items
    on
        offers.customer_number = customer_items.customer_number
        and reasons.item_number = customer_items.item_number
