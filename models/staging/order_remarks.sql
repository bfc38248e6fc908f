{# What looks as if orders were not what they are taken for, a row each, in words that end with what to do. #}
{%- set scope = order_scope() -%}
with lines as (

    select
        {{ basket_number('order_lines') }} as basket_number,
        order_lines.order_id,
        order_lines.customer_id,
        order_lines.store_id,
        order_lines.ordered_on,
        {# What comes back later, or elsewhere, does not make an order span anything. #}
        order_lines.quantity > 0 and order_lines.amount >= 0 as is_positive
    from {{ ref('stg_order_lines') }} as order_lines
    where order_lines.is_counted

),

orders as (

    select
        basket_number,
        min(order_id) as order_id,
        min(customer_id) as customer_id,
        min(case when is_positive then ordered_on end) as first_on,
        max(case when is_positive then ordered_on end) as last_on,
        min(case when is_positive then store_id end) as first_store,
        max(case when is_positive then store_id end) as last_store
    from lines
    group by basket_number

),

spans as (

    select
        orders.*,
        coalesce({{ days_between('first_on', 'last_on') }} > 1, false) as spans_days,
        coalesce(first_store <> last_store, false) as spans_stores
    from orders

),

span_counts as (

    select
        count(*) as orders,
        sum(case when spans_days then 1 else 0 end) as of_days,
        sum(case when spans_stores then 1 else 0 end) as of_stores
    from spans

),

examples as (

    select
        order_id,
        customer_id,
        first_on,
        last_on,
        first_store,
        last_store,
        spans_days,
        spans_stores,
        row_number() over (partition by spans_days order by order_id asc, customer_id asc nulls first, first_on asc) as day_place,
        row_number() over (partition by spans_stores order by order_id asc, customer_id asc nulls first, first_on asc) as store_place
    from spans
    where spans_days or spans_stores

),

example_texts as (

    select
        {{ sorted_list("case when spans_days and day_place <= 3 then order_id || coalesce(' of ' || customer_id, '') || ' from ' || " ~ text('first_on') ~ " || ' to ' || " ~ text('last_on') ~ " end") }} as of_days,
        {{ sorted_list("case when spans_stores and store_place <= 3 then order_id || coalesce(' of ' || customer_id, '') || ' in ' || first_store || ' and ' || last_store end") }} as of_stores
    from examples

),

customer_orders as (

    select
        customer_id,
        count(*) as orders
    from orders
    where customer_id is not null
    group by customer_id

),

order_days as (

    select
        ordered_on,
        row_number() over (order by ordered_on desc) as place
    {# Not from `lines`: what is read twice would be held, of all lines. #}
    from {{ ref('stg_order_lines') }}
    where is_counted
    group by ordered_on

),

last_days as (

    select
        max(case when place = 1 then ordered_on end) as last_on,
        max(case when place = 2 then ordered_on end) as before_on
    from order_days

)

select
    'orders that span days' as kind,
    cast(span_counts.of_days as string) || ' of ' || cast(span_counts.orders as string) || ' orders span more than two local days (e.g. order '
    || example_texts.of_days || '): receipt numbers that restart make one basket of many. Try the var order_scope: {{ (scope + ["day"]) | unique | join(", ") }}'
    || ' (or year in the place of day, where they restart with the year).' as problem
from span_counts
cross join example_texts
where span_counts.of_days > {{ var('spanning_orders_share') }} * span_counts.orders
union all
select
    'orders that span stores' as kind,
    cast(span_counts.of_stores as string) || ' of ' || cast(span_counts.orders as string) || ' orders are of two stores or more (e.g. order '
    || example_texts.of_stores || '): stores that share numbers make one basket of many. Try the var order_scope: {{ (scope + ["store_id"]) | unique | join(", ") }}.' as problem
from span_counts
cross join example_texts
where span_counts.of_stores > {{ var('spanning_orders_share') }} * span_counts.orders
union all
select
    'suspicious customer' as kind,
    'customer ' || customer_orders.customer_id || ' has ' || cast(customer_orders.orders as string) || ' of ' || cast(span_counts.orders as string)
    || ' orders, more than suspicious_share ({{ var("suspicious_share") }}) allows one customer. A guest account or a till: add the id to '
    || 'seeds/guest_ids.csv. Accounts that were merged: land who ordered, or drop its row of customer_aliases. A wholesaler: land it in companies, so '
    || 'that it is compared with companies, or raise suspicious_share.' as problem
from customer_orders
cross join span_counts
where
    span_counts.orders >= {{ var('suspicious_min_orders') }}
    and customer_orders.orders > {{ var('suspicious_share') }} * span_counts.orders
{#- The last day decides what the refresh describes, unless AS_OF does. -#}
{%- if not as_of_setting() %}
union all
select
    'lonely last day' as kind,
    'the last order day ' || {{ text('last_on') }} || ' is ' || cast({{ days_between('before_on', 'last_on') }} as string)
    || ' days after the one before. Correct ordered_at of its lines, or set AS_OF to the day that the refresh should describe.' as problem
from last_days
where {{ days_between('before_on', 'last_on') }} > {{ var('lonely_days') }}
{%- endif %}
