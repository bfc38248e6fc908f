"""A backfill of past dates: these are computed again, no others, and nothing is published; the lock is respected."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest
from dagster import DagsterInstance

from orchestration.defs.translator import HISTORY_KEY
from tests.support import project
from tests.support.growing_zone import TwoDays, Warehouse, copy_warehouse

pytestmark = pytest.mark.slow

FEBRUARY, MARCH, APRIL, MAY = (date(2026, month, 1) for month in (2, 3, 4, 5))
SPOILT = (FEBRUARY, MARCH, APRIL)


def backfill(warehouse: Warehouse, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "orchestration", "backfill"],
        cwd=project.ROOT,
        env=warehouse.environment(**variables),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def memberships(warehouse: Warehouse) -> dict[date, list[tuple]]:
    """Who is in which segment on each kept date."""
    found: dict[date, list[tuple]] = {}
    with duckdb.connect(str(warehouse.folder / "build" / "warehouse.duckdb"), read_only=True) as con:
        rows = con.sql("select as_of, scheme, member_id, segment from int_memberships order by all").fetchall()
    for day, *row in rows:
        found.setdefault(day, []).append(tuple(row))
    return found


@pytest.fixture(scope="module")
def warehouse(two_days: TwoDays, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The second day's warehouse, in which three past dates were spoilt, and two of them computed again."""
    warehouse = copy_warehouse(two_days.after, tmp_path_factory.mktemp("backfill") / "warehouse")
    home = Path(warehouse.environment()["DAGSTER_HOME"])
    shutil.copytree(two_days.after.environment()["DAGSTER_HOME"], home, dirs_exist_ok=True)
    with duckdb.connect(str(warehouse.folder / "build" / "warehouse.duckdb")) as con:
        con.execute(
            "update int_memberships set segment = 'spoilt' where as_of in (select unnest(?::date[]))", [list(SPOILT)]
        )
        con.execute("update rfm set segment = 'spoilt' where as_of in (select unnest(?::date[]))", [list(SPOILT)])
    done = backfill(warehouse, FROM="2026-03-01", TO="2026-04-15")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 dates from 2026-03-01 to 2026-04-01" in done.stdout
    return warehouse


def test_the_chosen_dates_are_what_they_were_and_the_others_are_left_alone(
    two_days: TwoDays, warehouse: Warehouse
) -> None:
    before, after = memberships(two_days.after), memberships(warehouse)
    assert list(after) == list(before)
    assert {day for day in before if after[day] != before[day]} == {FEBRUARY}
    assert {segment for *_, segment in after[FEBRUARY]} == {"spoilt"}


def test_a_backfill_publishes_nothing(two_days: TwoDays, warehouse: Warehouse) -> None:
    assert warehouse.manifest() == two_days.after.manifest()
    assert two_days.after.manifest()["history_from"] == str(FEBRUARY)


def test_dagster_knows_which_dates_are_computed(warehouse: Warehouse) -> None:
    """Those of the refresh and those of the backfill; the as-of date itself is no partition."""
    with DagsterInstance.from_config(warehouse.environment()["DAGSTER_HOME"]) as instance:
        known = instance.get_materialized_partitions(HISTORY_KEY)
        event = instance.get_latest_materialization_event(HISTORY_KEY)
    assert known == {str(day) for day in (FEBRUARY, MARCH, APRIL, MAY)}
    assert event is not None and event.asset_materialization is not None
    said = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    kept = memberships(warehouse)
    assert said["rows_by_date"] == {str(day): len(kept[day]) for day in (MARCH, APRIL)}
    assert said["dagster/row_count"] == len(kept[MARCH]) + len(kept[APRIL])
    assert said["as_of"] == "2026-03-01, 2026-04-01" and said["seconds"] > 0


def test_a_backfill_beside_a_refresh_refuses_and_names_the_holder(warehouse: Warehouse) -> None:
    lock = warehouse.folder / "refresh.lock"
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        handle.write(json.dumps({"pid": 4711, "host": "there", "started_at": "now", "purpose": "refresh"}))
        handle.flush()
        done = backfill(warehouse, FROM="2026-03-01", TO="2026-04-15")
    assert done.returncode == 3
    assert "in use by process 4711 on there" in done.stderr


def test_dates_off_the_grid_are_refused_in_words(warehouse: Warehouse) -> None:
    done = backfill(warehouse, FROM="2026-03-02", TO="2026-03-20")
    assert done.returncode == 2
    assert "no date of the history grid lies between 2026-03-02 and 2026-03-20" in done.stderr
