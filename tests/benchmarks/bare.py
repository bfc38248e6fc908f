"""The least that makes the same marts: plain DuckDB on the landed Parquet files, without what this project adds.

Belongs here: the script, mart by mart. Does not belong here: measuring it (together.py).

It trusts its input (no quarantine, no account, no currencies, aliases or statuses), keeps nothing between days, tests
nothing, has no treatments, experiments, audiences or report, and knows the five schemes that order lines alone
decide. What it leaves out is what the difference to a refresh pays for.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

LEVELS = ("department", "category", "subcategory", "product")
MEASURES = """
    n_both / n::double as support, n_both / n_a::double as confidence, n_both * n::double / (n_a::double * n_b) as lift,
    n_both / n::double - n_a::double * n_b / n::double / n as leverage,
    n_both / (n_a + n_b - n_both)::double as jaccard,
    0.5 * (n_both / n_a::double + n_both / n_b::double) as kulczynski,
    nullif(1 - n_b / n::double, 0) / nullif(1 - n_both / n_a::double, 0) as conviction
"""


def _pairs(level: str) -> str:
    item = "product_id" if level == "product" else level
    return f"""
        with bought as materialized (
            select distinct basket, {item} as item from lines where {item} is not null and quantity > 0
        ),
        singles as (select item, count(*) as n from bought group by item),
        pairs as (
            select a.item as a, b.item as b, count(*) as n_both
            from bought as a inner join bought as b on a.basket = b.basket and a.item < b.item
            group by a.item, b.item having count(*) >= 5
        ),
        counted as (
            select pairs.*, x.n as n_a, y.n as n_b, (select count(*) from baskets) as n
            from pairs inner join singles as x on x.item = a inner join singles as y on y.item = b
        ),
        directed as (
            select a as antecedent, b as consequent, n_a, n_b, n_both, n from counted
            union all select b, a, n_b, n_a, n_both, n from counted
        )
        select '{level}' as item_level, 'basket' as "window", *, {MEASURES} from directed
    """


def _segments_of_spend(column: str) -> str:
    """The value of a column with the most spend in a member's year before each as-of date."""
    return f"""
        select as_of, '{column}' as scheme, customer_id, arg_max({column}, (spend, {column})) as segment
        from (select as_of, customer_id, {column}, sum(spend) as spend from category_spend group by all) group by all
    """


STEPS: dict[str, str] = {
    "lines": """
        select l.order_id || '/' || l.customer_id as basket, l.customer_id, l.product_id, l.quantity, l.amount,
            l.discount_amount, cast(l.ordered_at as date) as day, hour(l.ordered_at) as hour,
            p.department, p.category, p.subcategory, p.brand_tier
        from landed_lines as l left join landed_products as p using (product_id)""",
    "baskets": """
        select basket, any_value(customer_id) as customer_id, min(day) as day, min(hour) as hour, sum(amount) as spend,
            sum(discount_amount) as discount, sum(case when brand_tier = 'private' then amount else 0 end) as private
        from lines where quantity > 0 group by basket""",
    "dates": """
        select unnest(range(first_on, last_on, interval 1 month))::date as as_of
        from (select date_trunc('month', min(day)) + interval 1 month as first_on, max(day) + 1 as last_on from baskets)
        union all select max(day) + 1 from baskets""",
    "customer_days": "select customer_id, day, count(*) as n, sum(spend) as spend, sum(discount) as discount, "
    "sum(private) as private from baskets group by all",
    "category_days": "select customer_id, day, department, category, sum(amount) as spend from lines group by all",
    "features": """
        select as_of, customer_id, as_of - max(day) as recency, min(day) as first_on,
            coalesce(sum(n) filter (where day >= as_of - interval 365 day), 0) as frequency,
            sum(spend) filter (where day >= as_of - interval 365 day) as monetary,
            sum(discount) filter (where day >= as_of - interval 365 day) as discount,
            sum(private) filter (where day >= as_of - interval 365 day) as private
        from customer_days inner join dates on day < as_of group by as_of, customer_id""",
    "scores": """
        select *,
            ceil(5 * percent_rank() over (partition by as_of order by recency desc) + 1e-9) as r,
            ceil(5 * percent_rank() over (partition by as_of order by frequency) + 1e-9) as f,
            ceil(5 * percent_rank() over (partition by as_of order by monetary) + 1e-9) as m
        from features where frequency > 0""",
    "category_spend": """
        select as_of, customer_id, department, category, sum(spend) as spend
        from category_days inner join dates on day < as_of and day >= as_of - interval 365 day group by all""",
    "memberships": f"""
        select as_of, 'rfm' as scheme, customer_id, case
            when r = 5 and f >= 4 then 'champions' when r >= 3 and f >= 4 then 'loyal_customers'
            when r >= 4 and f >= 2 then 'potential_loyalists' when r = 5 then 'new_customers'
            when r = 4 then 'promising' when r = 3 and f = 3 then 'need_attention'
            when f = 5 then 'cant_lose' when f >= 3 then 'at_risk'
            when r = 3 then 'about_to_sleep' else 'hibernating' end as segment
        from scores
        union all select as_of, 'price', customer_id,
            case when discount > 0.1 * monetary then 'sensitive' else 'not' end
        from features where frequency >= 5
        union all select as_of, 'label', customer_id,
            case when private > 0.3 * monetary then 'private' else 'brand' end
        from features where frequency >= 5
        union all {_segments_of_spend("department")}
        union all {_segments_of_spend("category")}""",
    "history": """
        with moves as (
            select *, lag(segment) over member is distinct from segment as is_new from memberships
            window member as (partition by scheme, customer_id order by as_of)
        )
        select scheme, customer_id, segment, as_of as valid_from,
            lead(as_of) over (partition by scheme, customer_id order by as_of) as valid_to
        from moves where is_new""",
    "migrations": """
        select a.scheme, a.as_of as period_start, b.as_of as period_end, a.segment as from_segment,
            b.segment as to_segment, count(*) as members
        from memberships as a
        inner join (select as_of, lead(as_of) over (order by as_of) as next_on from dates) as d on a.as_of = d.as_of
        inner join memberships as b
            on b.as_of = d.next_on and a.scheme = b.scheme and a.customer_id = b.customer_id
        group by all""",
    "current": "select * from memberships where as_of = (select max(as_of) from dates)",
    "segments": """
        select scheme, segment, count(*) as members, sum(monetary) as spend
        from current inner join features using (as_of, customer_id) group by all""",
    "segment_months": """
        select scheme, segment, date_trunc('month', day) as month, count(distinct customer_id) as buyers,
            sum(n) as orders, sum(spend) as spend
        from history inner join customer_days using (customer_id)
        where day >= valid_from and (day < valid_to or valid_to is null) group by all""",
    "segment_profiles": """
        select scheme, segment, avg(recency) as recency, avg(frequency) as frequency, avg(monetary) as monetary,
            sum(discount) / sum(monetary) as discount_share
        from current inner join features using (as_of, customer_id) group by all""",
    "occasion_matrix": """
        select scheme, segment, dayofweek(day) in (0, 6) as is_weekend, hour // 6 as part, count(*) as baskets,
            sum(spend) as spend, count(distinct customer_id) as customers
        from current inner join baskets using (customer_id) group by all""",
    "product_affinities": " union all ".join(f"select * from ({_pairs(level)})" for level in LEVELS),
    "sequences": """
        with bought as materialized (select distinct customer_id, day, category from lines where category is not null)
        select a.category as antecedent, b.category as consequent, count(distinct a.customer_id) as n_both
        from bought as a
        inner join bought as b
            on a.customer_id = b.customer_id and b.day > a.day and b.day <= a.day + 30 and a.category <> b.category
        group by all having n_both >= 5""",
    "segment_affinities": """
        with bought as materialized (
            select distinct scheme, segment, basket, category from lines inner join current using (customer_id)
            where category is not null and scheme <> 'category'
        )
        select scheme, segment, a.category as antecedent, b.category as consequent, count(*) as n_both
        from bought as a inner join bought as b using (scheme, segment, basket)
        where a.category <> b.category group by all having n_both >= 5""",
    "next_best_offers": """
        with bought as materialized (select customer_id, category as item, count(*) as n from lines group by all),
        norms as (select item, sqrt(count(*)) as norm from bought group by item),
        cosines as (
            select a.item as item, b.item as other, count(*) / any_value(x.norm * y.norm) as cosine
            from bought as a inner join bought as b on a.customer_id = b.customer_id and a.item <> b.item
            inner join norms as x on x.item = a.item inner join norms as y on y.item = b.item group by all
        ),
        scored as (
            select customer_id, other as item, sum(cosine) as score, arg_max(cosines.item, cosine) as because_item
            from bought inner join cosines using (item) group by all
        )
        select * from scored anti join bought using (customer_id, item)
        qualify row_number() over (partition by customer_id order by score desc, item) <= 10""",
}
PUBLISHED = ("scores", "current", "history", "migrations", "segments", "segment_months", "segment_profiles")
PUBLISHED += ("occasion_matrix", "product_affinities", "sequences", "segment_affinities", "next_best_offers")


def run(landing: Path, target: Path, steps: tuple[str, ...] = tuple(STEPS), threads: int = 2) -> dict[str, int]:
    """Every step into a new database in `target`, and what is published as Parquet files too; rows by table."""
    target.mkdir(parents=True)
    with duckdb.connect(str(target / "bare.duckdb")) as con:
        con.execute(f"set threads = {threads}; set enable_progress_bar = false; set preserve_insertion_order = false")
        lines = f"read_parquet('{landing}/order_lines/**/*.parquet', hive_partitioning = false)"
        con.execute(f"create view landed_lines as from {lines}")
        products = [
            f"select * from read_{'parquet' if path.suffix == '.parquet' else 'csv'}('{path}')"
            for path in sorted((landing / "products").iterdir())
        ]
        con.execute(f"create view landed_products as {' union all by name '.join(products)}")
        rows = {}
        for name in steps:
            con.execute(f"create table {name} as {STEPS[name]}")
            rows[name] = int(con.sql(f"select count(*) from {name}").fetchall()[0][0])
            if name in PUBLISHED:
                con.execute(f"copy {name} to '{target / name}.parquet' (format parquet)")
    return rows
