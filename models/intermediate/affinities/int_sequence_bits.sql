{{ config(materialized='kept', by='period_on', inputs='int_sequence_periods') }}

{# Which items each customer bought within sequence_days after item_a, on a later day of the period: item numbers as bits, 60 a
   word. What a customer did in one period and in another adds up by `or`.

   What a customer bought on a day is a few words. First they are put together for the days that follow each of the customer's
   days, then handed to every item of that day: far fewer steps than a pair of items each. #}
{%- set reach = sequence_reach() -%}
{%- set on_grid = grid_levels(var('sequence_levels')) -%}

{%- if not var('sequence_levels') %}

select
    cast(null as string) as item_level,
    cast(null as bigint) as customer_number,
    cast(null as integer) as item_a,
    cast(null as integer) as word,
    cast(null as bigint) as items_after,
    periods.period_on
from {{ missing(ref('int_sequence_periods')) }} as periods
where 1 = 0

{%- else %}

with periods as (

    {# Its periods are named here: what follows a purchase may be of a later period. #}
    select period_on from {{ missing(ref('int_sequence_periods')) }}

),

first_days as (

    select {{ days_after('min(period_on)', -reach) }} as first_day_on
    from periods

),

purchases as (

    select distinct
        facts.item_level,
        facts.customer_number,
        items.item_number,
        {{ count_period('facts.bought_on', 'dates.as_of') }} as period_on,
        {{ days_between("cast('1900-01-01' as date)", 'facts.bought_on') }} as day_number
    from {{ ref('int_basket_item_numbers') }} as facts
    inner join {{ ref('int_current_date') }} as dates on facts.bought_on < dates.as_of
    inner join first_days on facts.bought_on >= first_days.first_day_on
    {% if on_grid -%}
    inner join {{ ref('int_affinity_dates') }} as level_dates
        on facts.item_level = level_dates.item_level and facts.bought_on < level_dates.as_of
    {% endif -%}
    inner join {{ ref('int_affinity_items') }} as items on facts.item_key = items.item_key
    {{ with_returned_baskets('facts', 'level_dates.as_of' if on_grid else 'dates.as_of') }}
    where
        facts.item_level in ('{{ var("sequence_levels") | join("', '") }}')
        and facts.customer_number is not null
        and returned.basket_number is null

),

{# In spans of as many days as may lie between: what follows a day is of its own span, or of the next. #}
words as (

    select
        purchases.item_level,
        purchases.customer_number,
        purchases.day_number,
        cast(floor(purchases.day_number / {{ reach }}e0) as integer) as span,
        cast(floor(purchases.item_number / {{ word_size() }}e0) as integer) as word,
        bit_or({{ power_of_two('purchases.item_number % ' ~ word_size()) }}) as items,
        purchases.period_on
    from purchases
    inner join periods on purchases.period_on = periods.period_on
    group by
        purchases.item_level,
        purchases.customer_number,
        purchases.day_number,
        cast(floor(purchases.item_number / {{ word_size() }}e0) as integer),
        purchases.period_on

),

first_purchase_days as (

    select
        item_level,
        customer_number,
        day_number,
        cast(floor(day_number / {{ reach }}e0) as integer) as span
    from purchases
    group by item_level, customer_number, day_number

),

later_words as (

    select item_level, customer_number, day_number, span, word, items, period_on
    from words
    union all
    select item_level, customer_number, day_number, span - 1 as span, word, items, period_on
    from words

),

{# A level at a time: the joins then carry whole numbers only. #}
following_words as (

    {% for level in var('sequence_levels') %}
    select
        '{{ level }}' as item_level,
        starts.customer_number,
        starts.day_number,
        later_words.word,
        bit_or(later_words.items) as items,
        later_words.period_on
    from first_purchase_days as starts
    inner join later_words
        on
            starts.customer_number = later_words.customer_number
            and starts.span = later_words.span
            and later_words.day_number > starts.day_number
            and later_words.day_number <= starts.day_number + {{ reach }}
    where starts.item_level = '{{ level }}' and later_words.item_level = '{{ level }}'
    group by starts.customer_number, starts.day_number, later_words.word, later_words.period_on
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

bits as (

    {% for level in var('sequence_levels') %}
    select
        '{{ level }}' as item_level,
        purchases.customer_number,
        purchases.item_number,
        following_words.word,
        bit_or(following_words.items) as items,
        following_words.period_on
    from purchases
    inner join following_words
        on
            purchases.customer_number = following_words.customer_number
            and purchases.day_number = following_words.day_number
    where purchases.item_level = '{{ level }}' and following_words.item_level = '{{ level }}'
    group by purchases.customer_number, purchases.item_number, following_words.word, following_words.period_on
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

{# An item does not follow itself. #}
bits_of_others as (

    select
        item_level,
        customer_number,
        item_number,
        word,
        case
            when word = cast(floor(item_number / {{ word_size() }}e0) as integer)
                then items - (items & {{ power_of_two('item_number % ' ~ word_size()) }})
            else items
        end as items_after,
        period_on
    from bits

)

select
    item_level,
    customer_number,
    item_number as item_a,
    word,
    items_after,
    period_on
from bits_of_others
where items_after <> 0

{%- endif %}
