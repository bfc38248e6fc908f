"""`make benchmark-daily`: what the first refresh of a generated landing zone costs, and what the second day's does.

    LINES=5000000 make benchmark-daily        (default 2,000,000 order lines, a file a day over two years)

Prints the seconds of each step for both days, and the ratio. The fixed start-up (the same steps on a zone of a few
hundred lines) is measured first, and taken off where the ratio says so. Everything is written to a temporary folder.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb

from tests.integration.growing_zone import CATEGORIES, FIRST_DAY, Warehouse, Zone, day_file, write_zone

DAYS = 730
LINES_AN_ORDER = 10
LINES_A_CUSTOMER = 500
PRODUCTS = 2_000
STEP = re.compile(r"^  (\S[\w ]*?)\s+([0-9.]+) s", re.MULTILINE)


@dataclass(frozen=True)
class Timing:
    """Seconds of one refresh: in all, and by step."""

    seconds: float
    steps: dict[str, float]


def write_large_zone(folder: Path, lines: int, days: int = DAYS) -> Path:
    """`lines` order lines over `days` days, a Parquet file a day, `LINES_AN_ORDER` a basket; the same every time."""
    customers = max(200, lines // LINES_A_CUSTOMER)
    # Products, categories, consents and touchpoints as in the small zone, whose lines are taken away.
    write_zone(folder, Zone(customers=min(customers, 500), days=1))
    day_file(folder, FIRST_DAY).unlink()
    a_day = max(1, lines // days)
    with duckdb.connect() as con:
        con.execute(
            f"""
            copy (
                select 'q' || i as product_id, 'department ' || i % {len(CATEGORIES)} as department,
                    'category ' || i % 120 as category, 'subcategory ' || i % 400 as subcategory,
                    ['national', 'private', 'premium'][1 + i % 3] as brand_tier
                from range({PRODUCTS}) as numbers (i)
            ) to '{folder}/products/large.parquet' (format parquet)
            """
        )
        for number in range(days):
            write_large_day(con, folder, number, a_day, customers)
    return folder


def write_large_day(con: duckdb.DuckDBPyConnection, folder: Path, number: int, lines: int, customers: int) -> Path:
    """The file of one day. A hash of the line's number is its chance, so that runs are alike."""
    day = FIRST_DAY + timedelta(days=number)
    path = day_file(folder, day).with_name("lines.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    con.execute(
        f"""
        copy (
            select
                'o{number}-' || i // {LINES_AN_ORDER} as order_id,
                i % {LINES_AN_ORDER} + 1 as line_number,
                'c' || hash({number}, i // {LINES_AN_ORDER}) % {customers} as customer_id,
                -- Some products are bought far more often than others.
                'q' || cast(floor({PRODUCTS} * pow(hash({number}, i, 1) % 1000003 / 1000003e0, 2)) as integer)
                    as product_id,
                timestamp '{day} 07:00:00'
                    + to_minutes(cast(hash({number}, i // {LINES_AN_ORDER}, 2) % 840 as integer)) as ordered_at,
                1 + hash({number}, i, 3) % 3 as quantity,
                cast(1 + hash({number}, i, 4) % 2000 / 100e0 as decimal(18, 2)) as amount,
                cast(case when hash({number}, i, 5) % 5 = 0 then 0.5 else 0 end as decimal(18, 2)) as discount_amount
            from range({lines}) as numbers (i)
        ) to '{path}' (format parquet)
        """
    )
    return path


def timed(warehouse: Warehouse) -> Timing:
    """One refresh, timed."""
    began = time.monotonic()
    output = warehouse.refresh()
    return Timing(time.monotonic() - began, {name.strip(): float(s) for name, s in STEP.findall(output)})


def report(fixed: Timing, first: Timing, second: Timing, lines: int) -> str:
    """The three refreshes side by side, and the ratio of what grew with the lines."""
    rows = [f"{'step':<22}{'start-up':>10}{'first day':>11}{'second day':>12}"]
    for name in first.steps:
        cells = [t.steps.get(name, 0.0) for t in (fixed, first, second)]
        rows.append(f"{name:<22}{cells[0]:>10.1f}{cells[1]:>11.1f}{cells[2]:>12.1f}")
    rows.append(f"{'in all':<22}{fixed.seconds:>10.1f}{first.seconds:>11.1f}{second.seconds:>12.1f}")
    grown = first.seconds - fixed.seconds
    share = max(0.0, second.seconds - fixed.seconds) / grown if grown > 0 else float("nan")
    rows.append(f"{lines:,} lines: beyond the start-up, the second day costs {share:.0%} of the first")
    return "\n".join(rows)


def main() -> int:
    """Run it; LINES from the environment."""
    lines = int(os.environ.get("LINES", "") or 2_000_000)
    with tempfile.TemporaryDirectory(prefix="benchmark-daily-") as folder:
        base = Path(folder)
        small = Warehouse(base / "small", write_large_zone(base / "small-zone", 600, days=60))
        # The first one parses the project; the second is what every later refresh starts with.
        small.refresh()
        fixed = timed(small)
        large = Warehouse(base / "large", write_large_zone(base / "zone", lines))
        first = timed(large)
        customers = max(200, lines // LINES_A_CUSTOMER)
        with duckdb.connect() as con:
            write_large_day(con, large.landing_dir, DAYS, max(1, lines // DAYS), customers)
        second = timed(large)
        print(report(fixed, first, second, lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
