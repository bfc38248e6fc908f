"""`make test-spark`: the demo on DuckDB and on Spark, every published table compared; then the small zone over thrift.

Belongs here: what is too long for `make test`. Prints the wall time of each refresh; exit code 1 where anything
differs. What is built stays in test-spark/ of the project (or WAREHOUSE_DIR), and is removed by the next run.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tests.engines import zone
from tests.engines.comparison import Published, differences
from tests.engines.thrift_server import thrift_server
from tests.engines.warehouses import Warehouse
from tests.integration.project import ROOT


def main() -> int:
    """Both parts; 0 where every table is equal in both."""
    base = Path(os.environ.get("WAREHOUSE_DIR", "") or ROOT / "test-spark").resolve()
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir(parents=True)
    equal = [demo(base / "demo"), thrift(base / "thrift")]
    return 0 if all(equal) else 1


def demo(base: Path) -> bool:
    """The demo, refreshed once on each engine."""
    published = {}
    for engine in ("duckdb", "spark"):
        warehouse = Warehouse(base / engine, None, engine)
        published[engine] = warehouse.refresh()
        _say(f"demo, {engine}: {warehouse.seconds[-1]:.0f} s, {sum(published[engine].tables.values()):,} rows")
    return _told("demo", published["duckdb"], published["spark"])


def thrift(base: Path) -> bool:
    """A first and a second day of the small zone, on DuckDB and through a thrift server."""
    landing = zone.write_zone(base / "landing")
    zoned = {"STORE_TIMEZONE": zone.TIMEZONE}
    with thrift_server(base / "server") as through:
        warehouses = {
            "duckdb": Warehouse(base / "duckdb", landing, "duckdb", zoned),
            "thrift": Warehouse(base / "spark", landing, "spark", {**zoned, **through}),
        }
        equal = []
        for day in ("first day", "second day"):
            published = {}
            for name, warehouse in warehouses.items():
                published[name] = warehouse.refresh()
                _say(f"small zone, {day}, {name}: {warehouse.seconds[-1]:.0f} s")
            equal.append(_told(f"thrift, {day}", published["duckdb"], published["thrift"]))
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
