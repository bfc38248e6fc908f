-- Each segment month by month: who was in it on the month's first day, and what they bought in the month. Who became a member
-- during the month was in no segment on its first day: `not_yet_known`, so that spend adds up to everybody's.
with bounds as (

    select
        min(days.day_on) as first_on,
        {{ days_after('max(dates.as_of)', -1) }} as last_on
    from {{ ref('int_order_days') }} as days
    inner join {{ ref('int_current_date') }} as dates on days.day_on < dates.as_of

),

calendar as (

    {{ calendar_days('bounds', 'first_on', 'last_on') }}

),

months as (

    select distinct {{ month_start('day_on') }} as month_on
    from calendar

),

-- Sizes by what was added and taken away, which is little, and not by looking at every member on every date.
size_changes as (

    select scheme, segment, valid_from as changed_on, 1 as change
    from {{ ref('customer_segment_history') }}
    union all
    select scheme, segment, valid_to as changed_on, -1 as change
    from {{ ref('customer_segment_history') }}
    where valid_to is not null

),

daily_changes as (

    select scheme, segment, changed_on, sum(change) as change
    from size_changes
    group by scheme, segment, changed_on

),

sizes as (

    select
        changes.scheme,
        changes.segment,
        months.month_on,
        sum(changes.change) as members
    from months
    inner join daily_changes as changes on months.month_on >= changes.changed_on
    group by changes.scheme, changes.segment, months.month_on

),

customer_months as (

    select
        facts.customer_id,
        {{ month_start('facts.day_on') }} as month_on,
        sum(facts.baskets) as orders,
        {{ money_sum('facts.spend') }} as spend
    from {{ ref('int_customer_days') }} as facts
    inner join {{ ref('int_current_date') }} as dates on facts.day_on < dates.as_of
    group by facts.customer_id, {{ month_start('facts.day_on') }}

),

-- Baskets that came back; they are counted in the months in which they were bought.
returned_months as (

    select
        returned.customer_id,
        {{ month_start('returned.basket_on') }} as month_on,
        count(*) as orders
    from {{ ref('int_returned_baskets') }} as returned
    inner join {{ ref('int_current_date') }} as dates
        on returned.basket_on < dates.as_of and returned.returned_on < dates.as_of
    where returned.customer_id is not null
    group by returned.customer_id, {{ month_start('returned.basket_on') }}

),

kept_months as (

    select
        customer_months.customer_id,
        customer_months.month_on,
        customer_months.orders - coalesce(returned_months.orders, 0) as orders,
        customer_months.spend
    from customer_months
    left join returned_months
        on
            customer_months.customer_id = returned_months.customer_id
            and customer_months.month_on = returned_months.month_on

),

-- Contact persons buy nothing for themselves.
buyers as (

    select distinct
        history.scheme,
        history.member_id
    from {{ ref('customer_segment_history') }} as history
    left join {{ ref('segment_schemes') }} as schemes
        on history.scheme = schemes.scheme and schemes.audience = 'company_contact'
    where schemes.scheme is null

),

purchases as (

    select
        buyers.scheme,
        coalesce(history.segment, 'not_yet_known') as segment,
        facts.month_on,
        sum(case when facts.orders > 0 then 1 else 0 end) as buyers,
        sum(facts.orders) as orders,
        {{ money_sum('facts.spend') }} as spend
    from kept_months as facts
    inner join buyers on facts.customer_id = buyers.member_id
    -- A date for an open end, and no `or`: with one an engine may hold every row of an outer join against every other.
    left join {{ ref('customer_segment_history') }} as history
        on
            buyers.scheme = history.scheme
            and buyers.member_id = history.member_id
            and facts.month_on >= history.valid_from
            and facts.month_on < coalesce(history.valid_to, cast('9999-12-31' as date))
    group by buyers.scheme, coalesce(history.segment, 'not_yet_known'), facts.month_on

)

select
    cast(coalesce(sizes.scheme, purchases.scheme) as string) as scheme,
    cast(coalesce(sizes.segment, purchases.segment) as string) as segment,
    coalesce(sizes.month_on, purchases.month_on) as month,
    cast(coalesce(sizes.members, 0) as bigint) as members,
    cast(coalesce(purchases.buyers, 0) as bigint) as buyers,
    cast(coalesce(purchases.orders, 0) as bigint) as orders,
    cast(coalesce(purchases.spend, 0) as decimal(18, 4)) as spend
from sizes
full join purchases
    on sizes.scheme = purchases.scheme and sizes.segment = purchases.segment and sizes.month_on = purchases.month_on
where coalesce(sizes.members, 0) > 0 or purchases.scheme is not null
