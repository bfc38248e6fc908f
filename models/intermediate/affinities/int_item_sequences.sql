{# Customers who bought item_a and, on a later day within sequence_days, item_b: ordered pairs, kept from min_pair_count
   customers on.

   Days are bits: a customer's purchases of an item are whole numbers of 60 bits, one for each 60 days; the days that
   follow a purchase are bits too, and both meet in one `and`. Six times faster than joining purchases by date. #}
{%- set word_days = 60 -%}
{%- set reach = var('sequence_days') | int -%}
{%- if reach < 1 or reach > word_days -%}
    {{ exceptions.raise_compiler_error("var sequence_days is " ~ reach ~ ": it must be 1 to 60") }}
{%- endif -%}

{%- if not var('sequence_levels') %}

select
    cast(null as {{ dbt.type_string() }}) as item_level,
    cast(null as integer) as item_a,
    cast(null as integer) as item_b,
    cast(null as bigint) as n_both,
    cast(null as bigint) as n_reverse
where 1 = 0

{%- else %}

with frequent_items as (

    select item_number
    from {{ ref('int_item_counts') }}
    where sales_window = '{{ reach }}_days' and n_units >= {{ var('min_pair_count') }} and item_number > 0

),

days as (

    select distinct
        facts.item_level,
        cast(facts.customer_number as integer) as customer_number,
        facts.item_number,
        {{ days_between("cast('1900-01-01' as date)", 'facts.bought_on') }} as day_number
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join {{ ref('int_as_of_dates') }} as dates on dates.is_current and facts.bought_on < dates.as_of
    inner join frequent_items on facts.item_number = frequent_items.item_number
    where facts.item_level in ('{{ var("sequence_levels") | join("', '") }}')

),

placed_days as (

    select
        item_level,
        customer_number,
        item_number,
        cast(floor(day_number / {{ word_days }}e0) as integer) as word,
        day_number - {{ word_days }} * cast(floor(day_number / {{ word_days }}e0) as integer) as place
    from days

),

day_bits as (

    select
        item_level,
        customer_number,
        item_number,
        word,
        {{ power_of_two('place') }} as own_days,
        {{ power_of_two('least(place + ' ~ (reach + 1) ~ ', ' ~ word_days ~ ')') }} - 2 * {{ power_of_two('place') }} as following_days
    from placed_days

    union all

    select
        item_level,
        customer_number,
        item_number,
        word + 1 as word,
        cast(0 as bigint) as own_days,
        {{ power_of_two('place + ' ~ (reach + 1 - word_days)) }} - 1 as following_days
    from placed_days
    where place + {{ reach + 1 - word_days }} > 0

),

words as (

    select
        item_level,
        customer_number,
        item_number,
        word,
        bit_or(own_days) as own_days,
        bit_or(following_days) as following_days
    from day_bits
    group by item_level, customer_number, item_number, word

),

{# A level at a time: the join then carries whole numbers only. #}
customer_pairs as (

    {% for level in var('sequence_levels') %}
    select distinct
        first_words.customer_number,
        first_words.item_number as item_a,
        second_words.item_number as item_b
    from words as first_words
    inner join words as second_words
        on
            first_words.customer_number = second_words.customer_number
            and first_words.word = second_words.word
            and first_words.item_number <> second_words.item_number
            and (first_words.following_days & second_words.own_days) <> 0
    where
        first_words.item_level = '{{ level }}'
        and second_words.item_level = '{{ level }}'
        and first_words.following_days <> 0
        and second_words.own_days <> 0
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

pair_counts as (

    select
        item_a,
        item_b,
        count(*) as n_both
    from customer_pairs
    group by item_a, item_b

)

select
    items.item_level,
    pair_counts.item_a,
    pair_counts.item_b,
    pair_counts.n_both,
    coalesce(reverse_counts.n_both, 0) as n_reverse
from pair_counts
inner join {{ ref('int_affinity_items') }} as items on pair_counts.item_a = items.item_number
left join pair_counts as reverse_counts
    on pair_counts.item_a = reverse_counts.item_b and pair_counts.item_b = reverse_counts.item_a
where pair_counts.n_both >= {{ var('min_pair_count') }}

{%- endif %}
