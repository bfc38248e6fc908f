"""`make test-spark`: the demo on DuckDB and on Spark, every published table compared; then the small zone.

Belongs here: what is too long for `make test`, where test_engines_agree.py compares the small zone through a thrift
server; here each refresh starts its own Spark (`SPARK_METHOD=session`). Prints the wall time of each refresh; exit code
1 where anything differs. What is built stays in test-spark/ of the project (or WAREHOUSE_DIR), and is removed by the
next run.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tests.support.engines import zone
from tests.support.engines.comparison import Published, differences
from tests.support.engines.warehouses import Warehouse
from tests.support.project import ROOT

ENGINES = ("duckdb", "spark")


def main() -> int:
    """Both parts; 0 where every table is equal in both."""
    base = Path(os.environ.get("WAREHOUSE_DIR", "") or ROOT / "test-spark").resolve()
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir(parents=True)
    equal = [demo(base / "demo"), two_days(base / "two-days")]
    return 0 if all(equal) else 1


def demo(base: Path) -> bool:
    """The demo, refreshed once on each engine."""
    published = {}
    for engine in ENGINES:
        warehouse = Warehouse(base / engine, None, engine)
        published[engine] = warehouse.refresh()
        _say(f"demo, {engine}: {warehouse.seconds[-1]:.0f} s, {sum(published[engine].tables.values()):,} rows")
    return _told("demo", published["duckdb"], published["spark"])


def two_days(base: Path) -> bool:
    """A first and a second day of the small zone on each engine, and the second one from nothing."""
    landing = zone.write_zone(base / "landing")
    zoned = {"STORE_TIMEZONE": zone.TIMEZONE}
    warehouses = {engine: Warehouse(base / engine, landing, engine, zoned) for engine in ENGINES}
    equal = []
    for day, variables in (("first day", {}), ("second day", {}), ("second day, from nothing", {"FULL": "1"})):
        published = {}
        for engine, warehouse in warehouses.items():
            published[engine] = warehouse.refresh(**variables)
            _say(f"small zone, {day}, {engine}: {warehouse.seconds[-1]:.0f} s")
        equal.append(_told(f"small zone, {day}", published["duckdb"], published["spark"]))
        if day == "first day":
            zone.change_zone(landing)
    return all(equal)


def _told(what: str, expected: Published, found: Published) -> bool:
    report = differences(expected, found)
    for table, problems in report.items():
        for problem in problems:
            _say(f"{what}: {table}: {problem}")
    _say(f"{what}: {len(expected.tables) - len(report)} of {len(expected.tables)} published tables are equal")
    return not report


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
