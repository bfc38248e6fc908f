"""A second day: what it brought is in, what it took away is out, and a rebuild from nothing says the same."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from tests.support import project
from tests.support.growing_zone import (
    FIRST_DAY,
    TwoDays,
    Warehouse,
    Zone,
    copy_warehouse,
    order_lines,
    published_rows,
)

pytestmark = pytest.mark.slow


def built(warehouse: Warehouse, sql: str) -> list[tuple]:
    with duckdb.connect(str(warehouse.folder / "build" / "warehouse.duckdb"), read_only=True) as con:
        return con.sql(sql).fetchall()


def test_a_new_day_moves_the_as_of_date_by_itself(two_days: TwoDays) -> None:
    assert two_days.before.manifest()["as_of"] == str(two_days.changes.new_day)
    assert two_days.after.manifest()["as_of"] == str(two_days.changes.new_day + timedelta(days=1))


def test_lines_of_a_new_day_are_in(two_days: TwoDays) -> None:
    day = two_days.changes.new_day
    found = built(two_days.after, f"select count(*) from stg_order_lines where ordered_on = date '{day}'")
    assert found == [(len(order_lines(Zone(), day)),)]


def test_a_corrected_file_replaces_what_it_said_before(two_days: TwoDays) -> None:
    sql = f"select sum(amount) from stg_order_lines where ordered_on = date '{two_days.changes.corrected_day}'"
    ((before,),), ((after,),) = built(two_days.before, sql), built(two_days.after, sql)
    assert after == before + 100


def test_the_lines_of_a_deleted_file_are_gone(two_days: TwoDays) -> None:
    sql = f"select count(*) from stg_order_lines where ordered_on = date '{two_days.changes.deleted_day}'"
    assert built(two_days.before, sql) != [(0,)]
    assert built(two_days.after, sql) == [(0,)]


def test_a_late_order_is_a_basket_of_its_own_day(two_days: TwoDays) -> None:
    found = built(two_days.after, f"select basket_on from int_baskets where order_id = '{two_days.changes.late_order}'")
    assert found == [(two_days.changes.late_day,)]


def test_a_file_that_is_sent_again_only_raises_the_count_of_duplicates(two_days: TwoDays) -> None:
    sql = "select rows_landed, rows_staged, rows_quarantined, rows_duplicate from refreshes order by refresh_id"
    *_, (landed, staged, quarantined, duplicate) = two_days.after.rows(sql)
    # And one exact copy among the planted dirt.
    assert duplicate == two_days.changes.sent_again_lines + 1
    assert quarantined == len(two_days.changes.refused)
    assert landed == staged + quarantined + duplicate


def test_the_published_quarantine_is_exactly_the_planted_dirt(two_days: TwoDays) -> None:
    assert two_days.before.rows("from quarantine") == []
    found = two_days.after.rows("select source_table, file, row_number, reasons from quarantine")
    file = f"order_lines/loaded_on={two_days.changes.new_day}/dirty.csv"
    expected = {("order_lines", file, row, reason) for row, reason in two_days.changes.refused.items()}
    assert set(found) == expected and len(found) == len(expected)


def test_each_published_refresh_is_listed(two_days: TwoDays) -> None:
    assert len(two_days.before.rows("from refreshes")) == 1
    ids = [name for (name,) in two_days.after.rows("select refresh_id from refreshes order by refresh_id")]
    assert len(ids) == 2 and ids[-1] == two_days.after.manifest()["refresh_id"]


def test_history_has_no_gap_and_no_overlap_after_the_second_day(two_days: TwoDays) -> None:
    broken = two_days.after.rows(
        """
        select scheme, member_id, valid_to, lead(valid_from) over days as next_from
        from customer_segment_history
        window days as (partition by scheme, member_id order by valid_from)
        qualify valid_to is distinct from next_from
        """
    )
    assert broken == []


def memberships(warehouse: Warehouse, days: list[date]) -> dict[tuple[date, str, str], str]:
    """Who was in which segment on each of `days`, from the published history."""
    spans = warehouse.rows("select scheme, member_id, segment, valid_from, valid_to from customer_segment_history")
    return {
        (day, scheme, member): segment
        for scheme, member, segment, start, end in spans
        for day in days
        if start <= day and (end is None or day < end)
    }


def restated(warehouse: Warehouse) -> list[tuple]:
    return warehouse.rows("select grid_dates_restated, memberships_restated from refreshes order by refresh_id")


def test_late_corrected_and_deleted_lines_restate_the_dates_after_them_and_are_counted(two_days: TwoDays) -> None:
    """All customers are registered, so a membership differs or does not; the dates are the calendar starts of both."""
    days = [date(2026, month, 1) for month in (2, 3, 4, 5)]
    before, after = memberships(two_days.before, days), memberships(two_days.after, days)
    differing = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    # The corrected day is the earliest, 10 February.
    assert min(day for day, *_ in differing) > two_days.changes.corrected_day
    assert restated(two_days.after) == [(None, None), (len({day for day, *_ in differing}), len(differing))]


def test_every_version_says_which_files_it_was_made_from(two_days: TwoDays) -> None:
    before, after = (w.manifest()["landing_fingerprint"] for w in (two_days.before, two_days.after))
    assert len(before) == len(after) == 64 and before != after


def test_every_asset_of_a_refresh_says_its_rows_its_seconds_and_its_as_of_date(two_days: TwoDays) -> None:
    """As Dagster's UI shows them. A report is a page without rows; the files that land are not typed yet."""
    from dagster import DagsterInstance

    from orchestration.definitions import defs
    from orchestration.defs.translator import HISTORY_KEY

    home = Path(two_days.before.environment()["DAGSTER_HOME"])
    # The past by date is another job's.
    keys = defs.resolve_asset_graph().materializable_asset_keys - {HISTORY_KEY}
    said = {}
    with DagsterInstance.from_config(str(home)) as instance:
        for key in keys:
            event = instance.get_latest_materialization_event(key)
            assert event is not None and event.asset_materialization is not None, key
            said[key.to_user_string()] = {k: v.value for k, v in event.asset_materialization.metadata.items()}
    as_of = str(two_days.changes.new_day)
    assert {name for name, found in said.items() if "seconds" not in found} == set()
    assert {name for name, found in said.items() if "dagster/row_count" not in found} == {"report"}
    assert {name for name, found in said.items() if found.get("as_of") != as_of} == {"landing"}
    assert (
        said["stg_order_lines"]["dagster/row_count"]
        == built(two_days.before, "select count(*) from stg_order_lines")[0][0]
    )


@pytest.fixture(scope="module")
def rebuilt(two_days: TwoDays, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The second day again with FULL=1, over a build whose tables were spoiled to show that none is taken over."""
    warehouse = copy_warehouse(two_days.after, tmp_path_factory.mktemp("full") / "warehouse")
    with duckdb.connect(str(warehouse.folder / "build" / "warehouse.duckdb")) as con:
        con.execute("update int_customer_days set spend = spend + 1")
    for file in sorted((warehouse.folder / "landed" / "order_lines").glob("*.parquet"))[:50]:
        with duckdb.connect() as con:
            con.execute(f"copy (select * replace ('9' as amount) from '{file}') to '{file}' (format parquet)")
    assert "FULL" in warehouse.refresh(FULL="1")
    return warehouse


def test_a_rebuild_from_nothing_publishes_identical_rows(two_days: TwoDays, rebuilt: Warehouse) -> None:
    assert published_rows(rebuilt) == published_rows(two_days.after)


def test_a_rebuild_of_the_same_files_restates_nothing(rebuilt: Warehouse) -> None:
    assert restated(rebuilt)[-1] == (0, 0)


def test_a_rebuild_keeps_earlier_versions_and_the_state(two_days: TwoDays, rebuilt: Warehouse) -> None:
    assert len(rebuilt.rows("from refreshes")) == 3
    assert len(list((rebuilt.folder / "versions").iterdir())) == 3
    assert [p.name for p in Path(rebuilt.folder).glob(".removed*")] == []


@pytest.fixture(scope="module")
def recovered(two_days: TwoDays, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The second day again, after a rollback to the first and with the build file lost."""
    warehouse = copy_warehouse(two_days.after, tmp_path_factory.mktemp("recovered") / "warehouse")
    subprocess.run(
        [sys.executable, "-m", "orchestration", "rollback"],
        cwd=project.ROOT,
        env=warehouse.environment(),
        check=True,
    )
    assert warehouse.manifest() == two_days.before.manifest()
    shutil.rmtree(warehouse.folder / "build")
    warehouse.refresh()
    return warehouse


def test_the_history_survives_a_rollback_and_a_lost_build_file(two_days: TwoDays, recovered: Warehouse) -> None:
    assert published_rows(recovered) == published_rows(two_days.after)


def test_after_a_rollback_the_past_is_restated_against_what_readers_saw(
    two_days: TwoDays, recovered: Warehouse
) -> None:
    first, second, again = restated(recovered)
    assert (first, second) == tuple(restated(two_days.after)) and again == second


def test_the_generator_says_the_same_twice() -> None:
    assert order_lines(Zone(), FIRST_DAY + timedelta(days=3)) == order_lines(Zone(), FIRST_DAY + timedelta(days=3))
    assert order_lines(Zone(), FIRST_DAY) != order_lines(Zone(seed=2), FIRST_DAY)
