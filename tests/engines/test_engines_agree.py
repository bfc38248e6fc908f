"""Refreshes of a small dirty landing zone on each engine: every published table is equal after each of them.

Spark is one thrift server, which starts once. A day of it takes ten minutes and more, so `make test-all` compares the
first; ENGINE_DAYS=2 compares the second too, as demo.py (`make test-spark`) does in sessions.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pytest
import sqlglot
from sqlglot.optimizer.scope import Scope, traverse_scope

from tests.support.engines import zone
from tests.support.engines.comparison import Published, differences, table_differences
from tests.support.engines.plans import event_log, growing_loops
from tests.support.engines.thrift_server import thrift_server
from tests.support.engines.warehouses import Warehouse
from tests.support.plans import BOUNDED, Loop, seed_tables, told

# How often a model may have its tables read, for each time that its SQL names one (12 at most are).
READS_OF_A_TABLE = 25
# May be without rows here; every other published table has some, or the comparison would say nothing of it. Models of
# prospects are fitted in Python, on either engine, and ask for more members.
MAY_BE_EMPTY = {"segment_affinities", "cross_sell_gaps", "prospect_models"}
# Models whose plans on Spark join two inputs that grow by comparing all with all, and why that may stay.
LOOPS_THAT_STAY: dict[str, str] = {
    "int_grid_pair_tests": "the baskets of the grid's day by the levels of pairs, two at most, to be counted",
    "int_offer_level": "the levels of items, three at most, by themselves",
    "next_best_offers": "every customer meets every item that is offered, at most offer_max_items (400)",
    "occasion_cells": "every segment meets every occasion: the occasions there are by every row of segments",
    "sales_margin": "the calendar: the days on which experiments close",
}
BOTH_DAYS = os.environ.get("ENGINE_DAYS", "1") == "2"
both_days = pytest.mark.skipif(not BOTH_DAYS, reason="a second day on Spark: ENGINE_DAYS=2, or make test-spark")


@dataclass(frozen=True)
class Days:
    """What an engine published on the first and the second day, and the folder of its warehouse.

    Where only the first is compared, the second is the first.
    """

    first: Published
    second: Published
    warehouse: Warehouse


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Days]:
    """Both engines on one landing zone, each refreshed before and, for both days, after its second day."""
    base = tmp_path_factory.mktemp("engines")
    landing = zone.write_zone(base / "landing's zone")
    zoned = {"STORE_TIMEZONE": zone.TIMEZONE}
    with thrift_server(base / "server", more=event_log(base / "events")) as through:
        warehouses = {
            "duckdb": Warehouse(base / "duckdb-warehouse", landing, "duckdb", zoned),
            "spark": Warehouse(base / "spark-warehouse", landing, "spark", {**zoned, **through}),
        }
        first = {engine: warehouse.refresh() for engine, warehouse in warehouses.items()}
        second = first
        if BOTH_DAYS:
            zone.change_zone(landing)
            second = {engine: warehouse.refresh() for engine, warehouse in warehouses.items()}
    return {engine: Days(first[engine], second[engine], warehouses[engine]) for engine in warehouses}


def test_every_published_table_is_equal_after_the_first_day(engines: dict[str, Days]) -> None:
    assert differences(engines["duckdb"].first, engines["spark"].first) == {}


@both_days
def test_every_published_table_is_equal_after_the_second_day(engines: dict[str, Days]) -> None:
    assert differences(engines["duckdb"].second, engines["spark"].second) == {}


@both_days
def test_the_second_day_changed_what_is_published(engines: dict[str, Days]) -> None:
    for days in engines.values():
        assert {"customer_segments", "product_affinities", "quarantine"} <= differences(days.first, days.second).keys()


def test_the_zone_fills_the_tables_that_are_compared(engines: dict[str, Days]) -> None:
    tables = engines["duckdb"].first.tables
    assert {name for name, rows in tables.items() if rows == 0} <= MAY_BE_EMPTY
    assert tables["quarantine"] >= 6


@both_days
def test_kept_partitions_that_nothing_changed_are_not_written_again(engines: dict[str, Days]) -> None:
    """Files of local days before everything that the second day brought are older than the second refresh."""
    folder = engines["spark"].warehouse.folder / "build" / "spark" / "tables" / "int_customer_days"
    started = engines["spark"].second.folder.name.split("-")[0]
    moments = {path.parent.name: path.stat().st_mtime for path in folder.glob("day_on=*/*.parquet")}
    second_began = datetime.strptime(started, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    kept = [day for day, moment in moments.items() if moment < second_began]
    made = [day for day, moment in moments.items() if moment >= second_began]
    assert kept
    assert "day_on=2025-11-15" in made
    assert len(kept) > len(made)


def test_no_plan_compares_all_with_all_of_two_inputs_that_grow(engines: dict[str, Days]) -> None:
    """Spark's plans of all that the refresh wrote, as they ran (DuckDB's: tests/integration/test_plans.py)."""
    warehouse = engines["spark"].warehouse.folder
    seeds = seed_tables(warehouse.parent / f"{warehouse.name}-target")
    found = growing_loops(warehouse.parent / "events", set(BOUNDED), seeds)
    unexcused = [loop for loop in found if excuse(loop) is None]
    assert not unexcused, told(unexcused)
    assert {excuse(loop) for loop in found} == {*LOOPS_THAT_STAY}, "an exception that no plan needs any more"


def excuse(loop: Loop) -> str | None:
    return loop.model if loop.model in LOOPS_THAT_STAY else None


def test_no_model_reads_its_tables_over_and_over(engines: dict[str, Days]) -> None:
    """Spark computes a common table expression once for each that reads it."""
    folder = engines["spark"].warehouse.folder / "build" / "target"
    models = sorted(folder.glob("*/compiled/segments_in_use/models/**/*.sql"))
    assert len(models) > 100
    found = {path.name: reads(path.read_text(encoding="utf-8")) for path in models}
    assert {name: (read, named) for name, (read, named) in found.items() if read > READS_OF_A_TABLE * named} == {}


def reads(sql: str) -> tuple[int, int]:
    """How often a select with its common table expressions written out reads tables, and how often it names one."""
    scopes = traverse_scope(sqlglot.parse_one(sql, dialect="spark"))
    written_out: dict[int, int] = {}
    named = 0
    # Inner ones come first.
    for scope in scopes:
        sources = [source for _, source in scope.selected_sources.values()]
        inner = [*(source for source in sources if isinstance(source, Scope)), *scope.subquery_scopes]
        tables = sum(not isinstance(source, Scope) for source in sources)
        named += tables
        written_out[id(scope)] = tables + sum(written_out[id(each)] for each in [*inner, *scope.set_operation_scopes])
    return written_out[id(scopes[-1])], named


def test_reads_are_counted_through_common_table_expressions() -> None:
    chain = "with a as (select x from t), b as (select x from a union all select x from a)"
    assert reads(f"{chain} select x from b join b as c using (x)") == (4, 1)
    assert reads("select x from t where x in (select x from u)") == (2, 2)


def test_a_difference_is_found_and_named() -> None:
    left = pa.table({"member": ["a", "b"], "score": [1.0, 2.0]})
    assert table_differences(left, pa.table({"member": ["a", "b"], "score": [1.0, 2.0 + 1e-10]})) == []
    (problem,) = table_differences(left, pa.table({"member": ["a", "b"], "score": [1.0, 2.0001]}))
    assert problem.startswith("score: 1 of 2 rows differ: 2.0 against 2.0001 at {'member': 'b'")
    assert table_differences(left, left.slice(1)) == ["2 rows against 1"]
    assert table_differences(left, pa.table({"member": ["a", "b"], "score": [1, 2]})) == [
        "columns differ: score double, score int64"
    ]
