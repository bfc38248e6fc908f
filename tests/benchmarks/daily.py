"""`make benchmark-daily`: what the first refresh of a generated landing zone costs, and what the days after it do.

    LINES=20000000 make benchmark-daily              (default 2,000,000 order lines)
    LINES=20000000 SHAPE=web make benchmark-daily    (default grocery)

Four refreshes are timed: one of a few hundred lines, which is the fixed start-up; the first of all lines; the second
day, which brings one more file of lines; and a third, which brings another and new rows of customers. The third is a
Monday, on which the week of var `affinity_grid` turns; the second is a Sunday, on which it does not. Printed are the
seconds of each step and of the slowest models, all processor seconds, the peak of memory, and the share that the
second and third day cost of the first, beyond the start-up. The grocery has the demo's shape: lines a basket and a
customer in a year, categories, and customers with favourites; two years of it. The web shop has many customers with
small orders, and five years. The days end half-way through a year and a month: counts are kept by past year and month,
and on the first day of a month more is counted again.
Everything is written to a temporary folder (TMPDIR) and removed in the end.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import duckdb

from tests.support import growing_zone
from tests.support.growing_zone import Warehouse, Zone, day_file, write_zone

CATEGORIES, SUBCATEGORIES, PRODUCTS = 300, 1_500, 20_000
STEP = re.compile(r"^  (\S[\w ]*?)\s+([0-9.]+) s", re.MULTILINE)
SLOWEST = 20


@dataclass(frozen=True)
class Shape:
    """How a shop sells: over how many days, lines in an order, lines of a customer over all days, and products that a
    customer keeps to (two lines of three are of one of them)."""

    first_day: date
    days: int
    lines_an_order: int
    lines_a_customer: int
    favourites: int

    def customers(self, lines: int) -> int:
        """How many there are where `lines` lines were sold."""
        return max(200, lines // self.lines_a_customer)


SHAPES = {
    "grocery": Shape(date(2024, 7, 18), days=730, lines_an_order=10, lines_a_customer=1_200, favourites=150),
    "web": Shape(date(2021, 7, 18), days=1_826, lines_an_order=4, lines_a_customer=200, favourites=40),
}


@dataclass(frozen=True)
class Timing:
    """Seconds of one refresh: in all, of processors, by step, and by dbt node. `memory`: megabytes that its processes
    held together at their peak."""

    seconds: float
    processor: float
    steps: dict[str, float]
    models: dict[str, float] = field(default_factory=dict)
    memory: float = 0.0


def write_large_zone(folder: Path, shape: Shape, lines: int) -> Path:
    """`lines` order lines in this shape, a Parquet file a day; the same every time."""
    customers = shape.customers(lines)
    # Products, categories and touchpoints as in the small zone, whose lines, customers and consents are taken away.
    write_zone(folder, Zone(customers=min(customers, 500), days=1))
    day_file(folder, growing_zone.FIRST_DAY).unlink()
    for table in ("customers", "consents"):
        (folder / table / "rows.csv").unlink()
    with duckdb.connect() as con:
        con.execute(
            f"""
            copy (
                select 'q' || i as product_id, 'department ' || i % {CATEGORIES} % 20 as department,
                    'category ' || i % {CATEGORIES} as category, 'subcategory ' || i % {SUBCATEGORIES} as subcategory,
                    ['national', 'private', 'premium'][1 + i % 3] as brand_tier
                from range({PRODUCTS}) as numbers (i)
            ) to '{folder}/products/large.parquet' (format parquet)
            """
        )
        write_customers(con, folder / "customers" / "all.parquet", 0, customers)
        for number in range(shape.days):
            write_large_day(con, folder, shape, number, lines)
    return folder


def shop(folder: Path, shape: Shape, lines: int) -> Warehouse:
    """A warehouse of this shape, not refreshed yet; its dbt target is its own, so a second refresh parses nothing."""
    return Warehouse(folder / "warehouse", write_large_zone(folder / "zone", shape, lines))


def write_customers(con: duckdb.DuckDBPyConnection, path: Path, first: int, last: int) -> None:
    """The profiles of customers `first` to `last`, the latter not included, and their consents beside them."""
    consents = path.parents[1] / "consents" / path.name
    con.execute(
        f"""
        copy (
            select 'c' || i as customer_id, channel, true as opted_in, timestamp '2020-01-01' as recorded_at
            from range({first}, {last}) as numbers (i)
            cross join (select unnest(['mail', 'email', 'store', 'app', 'sms', 'phone']) as channel) as channels
        ) to '{consents}' (format parquet)
        """
    )
    con.execute(
        f"""
        copy (
            select 'c' || i as customer_id, date '1940-01-01' + cast(hash(i) % 23000 as integer) as birth_date,
                ['female', 'male', null][1 + i % 3] as gender, ['urban', 'suburban', 'rural'][1 + i % 3] as settlement
            from range({first}, {last}) as numbers (i)
        ) to '{path}' (format parquet)
        """
    )


def write_large_day(con: duckdb.DuckDBPyConnection, folder: Path, shape: Shape, number: int, lines: int) -> Path:
    """The file of one day of a shop with `lines` lines over all days. A hash of the line's number is its chance, so
    that runs are alike."""
    customers, day = shape.customers(lines), shape.first_day + timedelta(days=number)
    path = day_file(folder, day).with_name("lines.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    con.execute(
        f"""
        copy (
            select
                'o{number}-' || i // {shape.lines_an_order} as order_id,
                i % {shape.lines_an_order} + 1 as line_number,
                'c' || hash({number}, i // {shape.lines_an_order}) % {customers} as customer_id,
                -- Some products are bought far more often than others, and some by some.
                'q' || cast(floor({PRODUCTS} * pow(
                    case
                        when hash({number}, i, 6) % 3 = 0 then hash({number}, i, 1)
                        else hash(
                            hash({number}, i // {shape.lines_an_order}) % {customers},
                            hash({number}, i, 1) % {shape.favourites}
                        )
                    end % 1000003 / 1000003e0, 2)) as integer) as product_id,
                timestamp '{day} 07:00:00'
                    + to_minutes(cast(hash({number}, i // {shape.lines_an_order}, 2) % 840 as integer)) as ordered_at,
                1 + hash({number}, i, 3) % 3 as quantity,
                cast(1 + hash({number}, i, 4) % 2000 / 100e0 as decimal(18, 2)) as amount,
                cast(case when hash({number}, i, 5) % 5 = 0 then 0.5 else 0 end as decimal(18, 2)) as discount_amount
            from range({max(1, lines // shape.days)}) as numbers (i)
        ) to '{path}' (format parquet)
        """
    )
    return path


def timed(warehouse: Warehouse) -> Timing:
    """One refresh, timed.

    Raises:
        RuntimeError: nothing was published.
    """
    began, processor = time.monotonic(), _processor_seconds()
    process = warehouse.start()
    peak = Peak(process.pid)
    try:
        output, _ = process.communicate()
    finally:
        process.kill()
        megabytes = peak.stop()
    seconds = time.monotonic() - began
    if process.returncode:
        raise RuntimeError(f"the refresh failed:\n{output[-6000:]}")
    steps = {name.strip(): float(s) for name, s in STEP.findall(output)}
    return Timing(seconds, _processor_seconds() - processor, steps, model_seconds(warehouse), megabytes)


def _processor_seconds() -> float:
    """Of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Peak:
    """Watches the memory of a process and all below it, a few times a second (Linux; elsewhere it says 0)."""

    def __init__(self, pid: int) -> None:
        self._pid, self._most, self._over = pid, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Megabytes at the peak."""
        self._over.set()
        self._thread.join()
        return self._most

    def _watch(self) -> None:
        while not self._over.wait(0.25):
            self._most = max(self._most, sum(_resident(pid) for pid in _family(self._pid)))


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        children = []
    return [pid, *(each for child in children for each in _family(int(child)))]


def _resident(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, IndexError):
        return 0.0


def model_seconds(warehouse: Warehouse) -> dict[str, float]:
    """Seconds of each model, seed and test, from what dbt left of both halves of the last refresh."""
    found: dict[str, float] = {}
    for path in sorted((warehouse.folder / "build" / "target").glob("*/run_results.json")):
        for result in json.loads(path.read_text(encoding="utf-8"))["results"]:
            kind, _, name, *_ = result["unique_id"].split(".")
            found[name if kind == "model" else f"{kind} {name}"] = float(result["execution_time"])
    return found


def report(fixed: Timing, days: list[Timing], lines: int) -> str:
    """The refreshes side by side, and the share of what grew with the lines."""
    names = ["start-up", "first day", "second day", "third day"][: len(days) + 1]
    rows = [f"{'step':<40}" + "".join(f"{name:>12}" for name in names)]

    def line(name: str, cells: list[float]) -> str:
        return f"{name[:39]:<40}" + "".join(f"{cell:>12.1f}" for cell in cells)

    every = [fixed, *days]
    rows += [line(name, [t.steps.get(name, 0.0) for t in every]) for name in days[0].steps]
    rows += [
        line("in all, seconds", [t.seconds for t in every]),
        line("processor seconds", [t.processor for t in every]),
        line("memory, MB", [t.memory for t in every]),
    ]
    slowest = sorted(days[0].models, key=lambda name: -days[0].models[name])[:SLOWEST]
    slowest += [
        name for name in sorted(days[1].models, key=lambda n: -days[1].models[n])[:SLOWEST] if name not in slowest
    ]
    rows += ["", f"the slowest in dbt, on the first or the second day ({len(slowest)} of {len(days[0].models)})"]
    rows += [line(name, [t.models.get(name, 0.0) for t in every]) for name in slowest]
    grown = days[0].seconds - fixed.seconds
    for name, day in zip(names[2:], days[1:], strict=True):
        share = max(0.0, day.seconds - fixed.seconds) / grown if grown > 0 else float("nan")
        used = max(0.0, day.processor - fixed.processor) / max(1e-9, days[0].processor - fixed.processor)
        rows.append(
            f"{lines:,} lines: beyond the start-up, the {name} costs {share:.1%} of the first,"
            f" and {used:.1%} of its processor seconds"
        )
    return "\n".join(rows)


def shown(name: str, timing: Timing, warehouse: Warehouse) -> Timing:
    """The same, said as soon as it is known: large shops take long, and a later day may not come through."""
    size = sum(path.stat().st_size for path in warehouse.folder.rglob("*") if path.is_file())
    print(
        f"{name}: {timing.seconds:.0f} s, {timing.processor:.0f} of processors,"
        f" peak {timing.memory / 1e3:.1f} GB of memory, {size / 1e9:.1f} GB on disk after it",
        flush=True,
    )
    return timing


def main() -> int:
    """Run it; LINES and SHAPE from the environment."""
    lines = int(os.environ.get("LINES", "") or 2_000_000)
    name = os.environ.get("SHAPE", "") or "grocery"
    if name not in SHAPES:
        print(f"SHAPE={name}: it must be one of {', '.join(SHAPES)}", file=sys.stderr)
        return 2
    shape = SHAPES[name]
    with tempfile.TemporaryDirectory(prefix="benchmark-daily-") as folder:
        base = Path(folder)
        small = shop(base / "small", replace(shape, days=60), 600)
        # The first one parses the project; the second is what every later refresh starts with.
        small.refresh()
        fixed = timed(small)
        began = time.monotonic()
        large = shop(base / "large", shape, lines)
        print(f"{lines:,} lines in {shape.days} files, generated in {time.monotonic() - began:.0f} s", flush=True)
        days = [shown("first day", timed(large), large)]
        customers = shape.customers(lines)
        with duckdb.connect() as con:
            write_large_day(con, large.landing_dir, shape, shape.days, lines)
            days.append(shown("second day", timed(large), large))
            write_large_day(con, large.landing_dir, shape, shape.days + 1, lines)
            write_customers(
                con, large.landing_dir / "customers" / "new.parquet", customers, customers + customers // 500
            )
            days.append(shown("third day", timed(large), large))
        print(report(fixed, days, lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
