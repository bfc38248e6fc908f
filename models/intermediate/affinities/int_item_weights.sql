{# How much having bought an item says for another one, beyond what all other items say: the weights of EDLAE, a linear
   autoencoder without its diagonal, whose inputs drop out at random (Steck 2020, NeurIPS: autoencoders that don't overfit
   towards the identity; without dropout it is EASE, Steck 2019). With G the customers that two items share, and
   P = (G + ridge x customers + dropout / (1 - dropout) x diag G)^-1, the weight of i for j is -P_ij / P_jj.

   Weights are whole billionths, so that sums over a customer's items do not depend on their order. #}
with bought as (

    select
        customer_items.customer_number,
        items.position
    from {{ ref('int_customer_items') }} as customer_items
    inner join {{ ref('int_offer_items') }} as items on customer_items.item_number = items.item_number

),

buyers as (

    select count(distinct customer_number) as customers
    from {{ ref('int_customer_items') }}

),

{# Customers are bits, 60 a word: two items share those that one `and` leaves. #}
customer_places as (

    select
        customer_number,
        row_number() over (order by customer_number) as place
    from (select distinct customer_number from bought) as customers

),

words as (

    select
        bought.position,
        cast(floor(customer_places.place / {{ word_size() }}e0) as integer) as word,
        bit_or({{ power_of_two('customer_places.place % ' ~ word_size()) }}) as customers
    from bought
    inner join customer_places on bought.customer_number = customer_places.customer_number
    group by bought.position, cast(floor(customer_places.place / {{ word_size() }}e0) as integer)

),

shared_customers as (

    select
        own.position as row_number,
        other.position as column_number,
        cast(sum(bit_count(own.customers & other.customers)) as bigint) as customers
    from words as own
    inner join words as other on own.word = other.word and own.position <= other.position
    group by own.position, other.position

),

both_triangles as (

    select row_number, column_number, customers
    from shared_customers
    union all
    select column_number as row_number, row_number as column_number, customers
    from shared_customers
    where row_number <> column_number

),

regularised as (

    select
        rows_.position as row_number,
        columns_.position as column_number,
        cast(coalesce(both_triangles.customers, 0) as double)
        + case
            when rows_.position = columns_.position
                then {{ var('offer_ridge') }}e0 * buyers.customers
                    + {{ var('offer_dropout') }}e0 / (1e0 - {{ var('offer_dropout') }}e0) * rows_.customers
            else 0e0
        end as value
    from {{ ref('int_offer_items') }} as rows_
    cross join {{ ref('int_offer_items') }} as columns_
    cross join buyers
    left join both_triangles
        on rows_.position = both_triangles.row_number and columns_.position = both_triangles.column_number

),

matrix_rows as (  -- noqa: ST03

    select
        row_number,
        {{ ordered_list('value', 'column_number') }} as row_values
    from regularised
    group by row_number

),

inverse as (

    {{ inverse_matrix('matrix_rows') }}

)

select
    inverse.row_number as position,
    inverse.column_number as other_position,
    cast(round(-1000000000e0 * inverse.value / diagonal.value) as bigint) as weight
from inverse
inner join inverse as diagonal
    on inverse.column_number = diagonal.row_number and diagonal.row_number = diagonal.column_number
where inverse.row_number <> inverse.column_number
