{# Counts of the occasion matrix: every segment of every scheme that divides customers, by every occasion, empty cells too. #}
with customer_segments_now as (

    select
        memberships.scheme,
        memberships.member_id,
        memberships.segment
    from {{ ref('customer_segments') }} as memberships
    inner join {{ ref('segment_schemes') }} as schemes
        on memberships.scheme = schemes.scheme and schemes.audience in ('person', 'company', 'person, company')

),

occasions_now as (

    select
        occasions.customer_id,
        occasions.occasion,
        occasions.baskets,
        occasions.spend
    from {{ ref('int_customer_occasions') }} as occasions
    inner join {{ ref('int_current_date') }} as dates on occasions.as_of = dates.as_of

),

all_occasions as (

    select occasion from {{ ref('occasion_rules') }}
    union
    select occasion from occasions_now

),

grid as (

    select
        segments.scheme,
        segments.segment,
        all_occasions.occasion
    from {{ ref('segments') }} as segments
    inner join {{ ref('segment_schemes') }} as schemes
        on segments.scheme = schemes.scheme and schemes.audience in ('person', 'company', 'person, company')
    cross join all_occasions

),

counts as (

    select
        customer_segments_now.scheme,
        customer_segments_now.segment,
        occasions_now.occasion,
        count(*) as customers,
        sum(occasions_now.baskets) as baskets,
        sum(occasions_now.spend) as spend
    from customer_segments_now
    inner join occasions_now on customer_segments_now.member_id = occasions_now.customer_id
    group by customer_segments_now.scheme, customer_segments_now.segment, occasions_now.occasion

),

cells as (

    select
        grid.scheme,
        grid.segment,
        grid.occasion,
        coalesce(counts.customers, 0) as customers,
        coalesce(counts.baskets, 0) as baskets,
        coalesce(counts.spend, 0) as spend
    from grid
    left join counts
        on
            grid.scheme = counts.scheme
            and grid.segment = counts.segment
            and grid.occasion = counts.occasion

),

totals as (

    select
        scheme,
        segment,
        occasion,
        customers,
        baskets,
        spend,
        sum(baskets) over (partition by scheme, segment) as segment_baskets,
        sum(baskets) over (partition by scheme, occasion) as occasion_baskets,
        sum(baskets) over (partition by scheme) as scheme_baskets
    from cells

)

select
    scheme,
    segment,
    occasion,
    cast(customers as bigint) as customers,
    cast(baskets as bigint) as baskets,
    cast(spend as decimal(18, 4)) as spend,
    (cast(baskets as double) / nullif(segment_baskets, 0))
    / nullif(cast(occasion_baskets as double) / nullif(scheme_baskets, 0), 0) as {{ adapter.quote('index') }}
from totals
