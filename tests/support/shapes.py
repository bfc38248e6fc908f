"""Shops of different shapes, generated: the same rows each time, all of them of hashes of a row's number.

Belongs here: landing zones that differ in how many customers, days and categories there are, and in whether anything
differs at all. Does not belong here: what is made of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

LAST_DAY = date(2025, 12, 30)
SCHEME, TREATMENT = "rfm", "rfm_champions"


@dataclass(frozen=True)
class Shape:
    """How much there is of what. `ties`: customers buy the same on the same days, for the same money."""

    lines: int = 6_000
    customers: int = 300
    days: int = 500
    products: int = 60
    categories: int = 20
    lines_an_order: int = 5
    ties: bool = False


SHAPES = {
    "few large customers": Shape(lines=6_000, customers=12, lines_an_order=20),
    "many small customers": Shape(lines=3_000, customers=1_200, lines_an_order=2),
    "many dates": Shape(lines=3_000, customers=60, days=2_400, lines_an_order=2),
    "many categories": Shape(customers=100, products=800, categories=150, days=300, lines_an_order=8),
    "all ties": Shape(lines=4_000, ties=True),
}


def write_shape(folder: Path, shape: Shape) -> Path:
    """The landing zone of a shape, a Parquet file a table; every table has rows."""
    orders = max(1, shape.lines // shape.lines_an_order)

    def chance(*what: object) -> str:
        """SQL of a number that differs from row to row, or is 0 for all where everybody is alike."""
        return "0" if shape.ties else f"hash({', '.join(map(str, what))})"

    def ago(days: str) -> str:
        return f"(timestamp '{LAST_DAY} 12:00:00' - to_days(cast({days} as integer)))"

    of_order = f"(i // {shape.lines_an_order})"
    # Where all are alike, each customer's orders are on the same days.
    day = f"{of_order} // {shape.customers} * 7" if shape.ties else f"hash({of_order}, 1) % {shape.days}"
    product = f"i % {shape.lines_an_order}" if shape.ties else f"pow(hash(i, 2) % 1000 / 1e3, 2) * {shape.products}"
    companies = max(3, shape.customers // 10)
    tables = {
        "order_lines": f"""
            select 'o' || {of_order} as order_id, i % {shape.lines_an_order} + 1 as line_number,
                'c' || {of_order} % {shape.customers} as customer_id,
                'p' || cast(floor({product}) as integer) as product_id,
                {ago(day)} + to_hours(cast({chance(of_order, 3)} % 9 as integer)) as ordered_at,
                1 + {chance("i", 4)} % 3 as quantity,
                cast(1 + {chance("i", 5)} % 2000 / 100e0 as decimal(18, 2)) as amount,
                cast({chance("i", 6)} % 5 / 10e0 as decimal(18, 2)) as discount_amount
            from range({orders * shape.lines_an_order}) as numbers (i)""",
        "products": f"""
            select 'p' || i as product_id, 'Product ' || i as product_name,
                'department ' || i % {shape.categories} % 10 as department,
                'category ' || i % {shape.categories} as category,
                'subcategory ' || i % {shape.categories} || ' ' || i % 3 as subcategory,
                case i % 4 when 0 then 'private' when 1 then 'premium' else 'national' end as brand_tier
            from range({shape.products}) as numbers (i)""",
        "customers": f"""
            select 'c' || i as customer_id, 'person' as kind,
                date '1950-01-01' + cast({chance("i", 7)} % 18000 as integer) as birth_date,
                case {chance("i", 8)} % 3 when 0 then 'female' when 1 then 'male' end as gender,
                1 + {chance("i", 9)} % 4 as household_size, 'region ' || {chance("i", 10)} % 7 as region,
                case {chance("i", 11)} % 2 when 0 then 'urban' else 'rural' end as settlement
            from range({shape.customers}) as numbers (i)""",
        "companies": f"""
            select 'c' || i as company_id, 'Works ' || i as company_name,
                'industry ' || {chance("i", 12)} % 5 as industry, 10 + {chance("i", 13)} % 500 as employees
            from range({companies}) as numbers (i)""",
        "company_contacts": f"""
            select 'x' || i as person_id, 'c' || i // 3 as company_id,
                case {chance("i", 14)} % 3 when 0 then 'Buyer' when 1 then 'Managing director' else 'Engineer' end
                    as job_title
            from range({companies * 3}) as numbers (i)""",
        "prospects": f"""
            select 'n' || i as prospect_id, 'person' as kind, 'fair' as source,
                date '1950-01-01' + cast({chance("i", 15)} % 18000 as integer) as birth_date,
                1 + {chance("i", 16)} % 4 as household_size
            from range({shape.customers}) as numbers (i)""",
        "touchpoints": f"""
            select 't' || i as touchpoint_id, 'c' || i % {shape.customers} as customer_id,
                {ago(f"{chance('i', 17)} % 80")} as touched_at, 'mail' as channel,
                'campaign ' || {chance("i", 18)} % 3 as campaign_type
            from range({shape.customers * 2}) as numbers (i)""",
        "responses": f"""
            select 'r' || i as response_id, 'c' || i % {shape.customers} as customer_id,
                {ago(f"{chance('i', 19)} % 70")} as responded_at, 'click' as kind, 't' || i as touchpoint_id
            from range({shape.customers}) as numbers (i)""",
        "consents": f"""
            select 'c' || i as customer_id, channel, true as opted_in, timestamp '2020-01-01' as recorded_at
            from range({shape.customers}) as numbers (i)
            cross join (select unnest(['mail', 'email', 'sms']) as channel) as channels""",
        "assignments": f"""
            select 'c' || i as customer_id, '{TREATMENT}' as treatment_id, 'e' || number as experiment_id,
                case when hash(i, number) % 2 = 0 then 'treated' else 'holdout' end as arm,
                cast({ago("120 + number * 60")} as date) as assigned_on, 0.5 as share_treated
            from range({shape.customers}) as numbers (i) cross join range(3) as experiments (number)""",
    }
    with duckdb.connect() as con:
        for table, sql in tables.items():
            (folder / table).mkdir(parents=True, exist_ok=True)
            con.execute(f"copy ({sql}) to '{folder / table / 'rows.parquet'}' (format parquet)")
    return folder
