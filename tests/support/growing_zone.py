"""A landing zone that grows by a file a day, generated from a seed: for tests and benchmarks of daily refreshes.

Belongs here: rows that are the same for the same seed, one file a day, a refresh of it as a child process.
Does not belong here: what a refresh must make of them.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from tests.support import project

FIRST_DAY = date(2026, 1, 1)
CATEGORIES = [
    ("grocery", "pasta"),
    ("grocery", "cereal"),
    ("grocery", "coffee"),
    ("produce", "fruit"),
    ("produce", "salad"),
    ("household", "cleaning"),
    ("household", "paper"),
    ("drinks", "juice"),
]
PRODUCTS_A_CATEGORY = 3
LINE_COLUMNS = "order_id,line_number,customer_id,product_id,ordered_at,quantity,amount,discount_amount,coupon_amount"


@dataclass(frozen=True)
class Zone:
    """What is generated: `customers` buy on each of `days` days from FIRST_DAY with the chance `visits`."""

    customers: int = 40
    days: int = 130
    visits: float = 0.12
    seed: int = 1

    def last_day(self) -> date:
        return FIRST_DAY + timedelta(days=self.days - 1)


def order_lines(zone: Zone, day: date) -> list[str]:
    """The day's order lines as CSV lines without a header; the same for the same zone and day."""
    chance = random.Random(f"{zone.seed} {day}")
    lines = []
    for customer in range(zone.customers):
        if chance.random() >= zone.visits:
            continue
        order = f"o{day:%Y%m%d}-{customer}"
        at = datetime(day.year, day.month, day.day, chance.choice([7, 8, 12, 13, 18, 19, 21]), chance.randrange(60))
        # A customer likes two categories, so that segments are not all alike.
        liked = [customer % len(CATEGORIES), (customer * 3 + 1) % len(CATEGORIES)]
        for number in range(1, chance.randint(2, 5)):
            category = chance.choice(liked) if chance.random() < 0.6 else chance.randrange(len(CATEGORIES))
            item = chance.randrange(PRODUCTS_A_CATEGORY)
            quantity = -1 if chance.random() < 0.02 else chance.randint(1, 3)
            amount = round(quantity * (1.5 + category + 0.4 * item), 2)
            discount = round(0.1 * abs(amount), 2) if chance.random() < 0.3 else 0
            lines.append(
                f"{order},{number},c{customer},p{category}-{item},{at:%Y-%m-%dT%H:%M:%SZ},{quantity},{amount},{discount},0"
            )
    return lines


def day_file(folder: Path, day: date) -> Path:
    """Where the lines of a day are: a hive-style folder a day."""
    return folder / "order_lines" / f"loaded_on={day}" / "lines.csv"


def write_lines(path: Path, lines: list[str]) -> Path:
    """A file of order lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([LINE_COLUMNS, *lines]) + "\n", encoding="utf-8")
    return path


def write_day(folder: Path, zone: Zone, day: date) -> Path:
    """The file of one day."""
    return write_lines(day_file(folder, day), order_lines(zone, day))


def write_zone(folder: Path, zone: Zone) -> Path:
    """The whole landing zone: customers, products, a file of order lines a day, touchpoints and consents."""
    products = [
        {
            "product_id": f"p{number}-{item}",
            "department": department,
            "category": category,
            "subcategory": f"{category} {item}",
            "brand_tier": ["national", "private", "premium"][item],
        }
        for number, (department, category) in enumerate(CATEGORIES)
        for item in range(PRODUCTS_A_CATEGORY)
    ]
    customers = [
        {
            "customer_id": f"c{number}",
            "birth_date": date(1940 + (number * 7) % 65, 1 + number % 12, 1 + number % 28),
            "gender": ["female", "male", ""][number % 3],
            "settlement": ["urban", "suburban", "rural"][number % 3],
        }
        for number in range(zone.customers)
    ]
    touches = [
        {
            "touchpoint_id": f"t{number}",
            "customer_id": f"c{number}",
            "touched_at": f"{zone.last_day() - timedelta(days=20)}T09:00:00Z",
            "channel": "mail",
            "campaign_type": ["spring", "summer"][number % 2],
        }
        for number in range(zone.customers)
    ]
    consents = [
        {"customer_id": f"c{number}", "channel": channel, "opted_in": "yes", "recorded_at": "2026-01-01T00:00:00Z"}
        for number in range(zone.customers)
        for channel in ("mail", "email", "store", "app", "sms", "phone")
    ]
    project.write_landing(
        folder, {"products": products, "customers": customers, "touchpoints": touches, "consents": consents}
    )
    for number in range(zone.days):
        write_day(folder, zone, FIRST_DAY + timedelta(days=number))
    return folder


@dataclass(frozen=True)
class Warehouse:
    """A warehouse folder with a Dagster home and dbt target of its own beside it, refreshed by `refresh`."""

    folder: Path
    landing_dir: Path

    def environment(self, **variables: str) -> dict[str, str]:
        """What a refresh of it runs with."""
        home = self.folder.parent / f"{self.folder.name}-dagster"
        if not home.is_dir():
            home.mkdir(parents=True)
            shutil.copy(project.ROOT / ".dagster_home" / "dagster.yaml", home)
        given = {"DAGSTER_HOME": str(home), "LANDING_DIR": str(self.landing_dir), "GX_ANALYTICS_ENABLED": "false"}
        return project.environment(self.folder, self.folder.parent / "dbt-target", given | variables)

    def start(self, *, cpus: int | None = None, **variables: str) -> subprocess.Popen[str]:
        """A refresh, started, on at most `cpus` processors."""
        limit: list[str] = []
        if cpus is not None and hasattr(os, "sched_getaffinity"):
            limit = ["taskset", "-c", ",".join(map(str, sorted(os.sched_getaffinity(0))[:cpus]))]
        return subprocess.Popen(
            [*limit, sys.executable, "-m", "orchestration", "refresh"],
            cwd=project.ROOT,
            env=self.environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def refresh(self, *, cpus: int | None = None, **variables: str) -> str:
        """A refresh from beginning to end; returns what it printed.

        Raises:
            AssertionError: nothing was published.
        """
        process = self.start(cpus=cpus, **variables)
        output, _ = process.communicate(timeout=600)
        assert process.returncode == 0, f"the refresh failed:\n{output[-6000:]}"
        return output

    @property
    def published(self) -> Path:
        return self.folder / "published"

    def manifest(self) -> dict[str, Any]:
        """manifest.json of the published version."""
        found: dict[str, Any] = json.loads((self.published / "manifest.json").read_text(encoding="utf-8"))
        return found

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query over the published tables."""
        with duckdb.connect(str(self.published.resolve() / "segments.duckdb"), read_only=True) as con:
            return con.sql(sql).fetchall()


def copy_warehouse(warehouse: Warehouse, to: Path) -> Warehouse:
    """The same warehouse in another folder; the link is relative, so the copy's points into the copy."""
    shutil.copytree(warehouse.folder, to, symlinks=True)
    return Warehouse(to, warehouse.landing_dir)


@dataclass(frozen=True)
class Changes:
    """What the second day brought, for tests to look for."""

    new_day: date
    corrected_day: date
    deleted_day: date
    late_order: str
    late_day: date
    sent_again_lines: int
    refused: dict[int, str]


@dataclass(frozen=True)
class TwoDays:
    """`before` and `after` a second day with files added, corrected, deleted and sent again in one landing zone."""

    before: Warehouse
    after: Warehouse
    changes: Changes


def refresh_two_days(base: Path, zone: Zone | None = None) -> TwoDays:
    """Two refreshes of a generated zone: the first of all days but the last; then with the changes of `change_zone`."""
    zone = zone or Zone()
    landing_dir = write_zone(base / "zone", zone)
    day_file(landing_dir, zone.last_day()).unlink()
    before = Warehouse(base / "warehouse-before", landing_dir)
    before.refresh()
    after = copy_warehouse(before, base / "warehouse-after")
    changes = change_zone(landing_dir, zone)
    after.refresh()
    return TwoDays(before, after, changes)


# Lines of one file and why each must be refused; a line without a reason is an exact copy or good.
_WRITTEN = " (written otherwise? set landing_formats.order_lines.{})"
_KEY_TWICE = "order_id, line_number: shared with a row of different content"
DIRTY = [
    ("d1,1,c1,p1-1,2026-04-01T10:00:00Z,1,2.50,0,0", ""),
    ("d1,1,c1,p1-1,2026-04-01T10:00:00Z,1.0,2.5,0.00,0", ""),
    ("d2,1,c1,p1-1,01.04.2026,1,2.50,0,0", "ordered_at: not a timestamp" + _WRITTEN.format("dates")),
    ("d3,1,c1,p1-1,2026-04-01T10:00:00Z,one,2.50,0,0", "quantity: not a number" + _WRITTEN.format("numbers")),
    ("d3,2,c1,,2026-04-01T10:00:00Z,1,2.50,0,0", "product_id: missing"),
    ("d4,1,c1,p1-1,2026-04-01T10:00:00Z,1,2.50,0,0", _KEY_TWICE),
    ("d4,1,c1,p1-1,2026-04-01T10:00:00Z,1,9.50,0,0", _KEY_TWICE),
    ("d5,1,c1,p1-1", "torn: 4 fields, the header has 9"),
    ("d6,x,c1,p1-1,2026-04-01T10:00:00Z,1,free,0,0", "amount: not a number" + _WRITTEN.format("numbers")),
]


def change_zone(landing_dir: Path, zone: Zone) -> Changes:
    """A day's changes: a new day, a corrected day, a deleted day, a late order, and a file that is sent again."""
    new_day = zone.last_day()
    write_day(landing_dir, zone, new_day)
    corrected_day, deleted_day, sent_again, late_day = (FIRST_DAY + timedelta(days=d) for d in (40, 61, 75, 90))
    lines = order_lines(zone, corrected_day)
    columns = lines[0].split(",")
    columns[6] = str(round(float(columns[6]) + 100, 2))
    write_lines(day_file(landing_dir, corrected_day), [",".join(columns), *lines[1:]])
    day_file(landing_dir, deleted_day).unlink()
    again = order_lines(zone, sent_again)
    write_lines(day_file(landing_dir, new_day).with_name("again.csv"), again)
    late = f"late,1,c0,p0-0,{late_day}T12:00:00Z,1,7.50,0,0"
    write_lines(day_file(landing_dir, new_day).with_name("late.csv"), [late])
    write_lines(day_file(landing_dir, new_day).with_name("dirty.csv"), [line for line, _ in DIRTY])
    refused = {number: reason for number, (_, reason) in enumerate(DIRTY, start=1) if reason}
    return Changes(new_day, corrected_day, deleted_day, "late", late_day, len(again), refused)


# What also depends on when and how often a refresh ran.
STATEFUL = ("refreshes", "treatment_assignments", "audiences")


def published_rows(warehouse: Warehouse, leaving_out: tuple[str, ...] = STATEFUL) -> dict[str, tuple[int, str]]:
    """Rows and digest of each published table, as the manifest says; the files' rows are in the order of their keys."""
    tables = warehouse.manifest()["tables"]
    return {name: (table["rows"], table["sha256"]) for name, table in tables.items() if name not in leaving_out}
