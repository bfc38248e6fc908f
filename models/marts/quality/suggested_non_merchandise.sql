{# What was sold as merchandise and looks like a service, stored value or bookkeeping, by a word of the seed service_words in its
   department, category, subcategory, name or id: rows that could stand in the seed non_merchandise. Each product is proposed
   once, at the coarsest level that has such a word, and only as long as it is merchandise. Nothing is left out by this table. #}
with words as (

    select
        word,
        meaning,
        is_whole,
        {{ segment_id('word') }} as word_id
    from {{ ref('service_words') }}

),

sold_products as (

    select
        order_lines.product_id,
        count(*) as n_lines
    from {{ ref('int_order_lines') }} as order_lines
    inner join {{ ref('int_current_date') }} as dates on order_lines.ordered_on < dates.as_of
    where order_lines.is_merchandise and order_lines.is_positive
    group by order_lines.product_id

),

product_texts as (

    {% for level in pattern_levels() %}
    select
        {{ loop.index }} as place,
        '{{ level }}' as level,
        sold_products.product_id,
        {{ 'sold_products' if level == 'product_id' else 'products' }}.{{ level }} as pattern
    from sold_products
    {% if level != 'product_id' -%}
    inner join {{ ref('int_products') }} as products on sold_products.product_id = products.product_id
    where products.{{ level }} is not null
    {% endif -%}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

texts as (

    select
        pattern,
        {{ segment_id('pattern') }} as text_id
    from product_texts
    group by pattern

),

found_words as (

    select
        texts.pattern,
        words.word,
        words.meaning,
        row_number() over (partition by texts.pattern order by length(words.word) desc, words.word asc) as word_rank
    from texts
    inner join words
        on
            (words.is_whole and texts.text_id = words.word_id)
            or (not words.is_whole and instr('_' || texts.text_id || '_', '_' || words.word_id || '_') > 0)

),

proposals as (

    select
        product_texts.level,
        product_texts.pattern,
        product_texts.product_id,
        found_words.word,
        found_words.meaning,
        row_number() over (partition by product_texts.product_id order by product_texts.place asc) as level_rank
    from product_texts
    inner join found_words on product_texts.pattern = found_words.pattern and found_words.word_rank = 1

),

candidates as (

    select
        level,
        pattern,
        product_id,
        word,
        meaning
    from proposals
    where level_rank = 1

),

candidate_baskets as (

    select distinct
        candidates.level,
        candidates.pattern,
        {{ basket_number('order_lines') }} as basket_number
    from {{ ref('int_order_lines') }} as order_lines
    inner join candidates on order_lines.product_id = candidates.product_id
    inner join {{ ref('int_current_date') }} as dates on order_lines.ordered_on < dates.as_of
    where order_lines.is_merchandise and order_lines.is_positive

),

basket_counts as (

    select
        level,
        pattern,
        count(*) as n_orders
    from candidate_baskets
    cross join {{ ref('int_current_date') }} as dates
    {{ with_returned_baskets('candidate_baskets', 'dates.as_of') }}
    where returned.basket_number is null
    group by level, pattern

),

all_baskets as (

    select count(*) as n_orders
    from {{ ref('int_baskets') }} as baskets
    inner join {{ ref('int_current_date') }} as dates on baskets.basket_on < dates.as_of
    {{ with_returned_baskets('baskets', 'dates.as_of') }}
    where returned.basket_number is null

),

product_counts as (

    select
        candidates.level,
        candidates.pattern,
        candidates.word,
        candidates.meaning,
        count(*) as n_products,
        min(candidates.product_id) as example_product_id,
        sum(sold_products.n_lines) as n_lines
    from candidates
    inner join sold_products on candidates.product_id = sold_products.product_id
    group by candidates.level, candidates.pattern, candidates.word, candidates.meaning

)

select
    cast(product_counts.level as string) as level,
    product_counts.pattern,
    product_counts.meaning as reason,
    product_counts.word,
    product_counts.example_product_id,
    cast(product_counts.n_products as bigint) as products,
    cast(product_counts.n_lines as bigint) as lines,
    cast(basket_counts.n_orders as bigint) as orders,
    cast(basket_counts.n_orders as double) / all_baskets.n_orders as order_share
from product_counts
inner join basket_counts
    on product_counts.level = basket_counts.level and product_counts.pattern = basket_counts.pattern
cross join all_baskets
