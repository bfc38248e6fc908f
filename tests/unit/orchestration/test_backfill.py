"""Dates of the past as partitions, and what a backfill hands to dbt; dbt does not run here."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from dagster import BackfillPolicy

from orchestration.backfill import BAD_CALL, chosen, main
from orchestration.defs.backfill import FIRST_DATE, grid_partitions, history_start
from orchestration.defs.translator import HISTORY_KEY
from orchestration.settings import Settings, SettingsError
from orchestration.warehouse.dbt_arguments import backfill_arguments, backfill_dates


def keys(grid: str, start: date, last: date) -> list[str]:
    return chosen(grid_partitions(grid, start, "UTC"), start, last)


def test_the_partitions_are_the_calendar_starts_of_the_grid() -> None:
    start, last = date(2026, 1, 15), date(2026, 3, 2)
    assert keys("month", start, last) == ["2026-02-01", "2026-03-01"]
    assert keys("week", start, last) == [
        *("2026-01-19", "2026-01-26", "2026-02-02", "2026-02-09", "2026-02-16", "2026-02-23", "2026-03-02"),
    ]
    assert len(keys("day", start, last)) == 47


def test_a_week_begins_on_monday() -> None:
    found = keys("week", date(2025, 1, 1), date(2026, 6, 1))
    assert {date.fromisoformat(key).isoweekday() for key in found} == {1}


def test_a_calendar_start_is_the_first_partition_where_the_history_begins_on_it() -> None:
    assert keys("month", date(2026, 1, 1), date(2026, 1, 31)) == ["2026-01-01"]


@pytest.mark.parametrize("grid", ["month", "week", "day"])
def test_a_date_can_be_computed_as_soon_as_it_begins_and_not_before(grid: str) -> None:
    partitions = grid_partitions(grid, date(2026, 1, 1), "UTC")
    last = date.fromisoformat(partitions.get_partition_keys()[-1])
    today = date.today()
    assert last <= today
    # Nothing between it and today: one more step of the grid would be in the future.
    assert (today - last).days < {"month": 31, "week": 7, "day": 1}[grid] + 1


def test_another_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="year is none of month, week, day"):
        grid_partitions("year", date(2026, 1, 1), "UTC")


def test_the_history_begins_where_the_published_version_says() -> None:
    settings = Settings(None, Path("/nowhere"), None, "UTC", "duckdb")
    assert history_start(settings, {}) == FIRST_DATE


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    version = tmp_path / "versions" / "1"
    version.mkdir(parents=True)
    (version / "manifest.json").write_text(json.dumps({"refresh_id": "1", "history_from": "2024-05-01"}))
    (tmp_path / "published").symlink_to("versions/1")
    return Settings(None, tmp_path, None, "UTC", "duckdb")


def test_the_environment_goes_before_the_published_version(settings: Settings) -> None:
    assert history_start(settings, {}) == date(2024, 5, 1)
    assert history_start(settings, {"HISTORY_START": "2023-01-01"}) == date(2023, 1, 1)


def test_a_version_that_says_nothing_of_its_history_is_no_obstacle(settings: Settings) -> None:
    (settings.published_link / "manifest.json").write_text(json.dumps({"refresh_id": "1"}))
    assert history_start(settings, {}) == FIRST_DATE


def test_a_start_that_is_no_date_is_named(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="HISTORY_START=May: not an ISO date"):
        history_start(settings, {"HISTORY_START": "May"})


def test_dbt_gets_the_models_kept_by_date_with_what_they_are_made_from_and_no_vars() -> None:
    arguments = backfill_arguments("duckdb")
    assert arguments[:3] == ["build", "--target", "duckdb"]
    assert arguments[arguments.index("--select") + 1] == "+config.by:as_of"
    assert arguments[arguments.index("--exclude") + 1] == "int_membership_moves"
    # Changed vars would make dbt parse the project again, and a full refresh would drop what is kept.
    assert not {"--vars", "--full-refresh"} & set(arguments)


def test_the_dates_are_in_order_and_once() -> None:
    days = [date(2026, 3, 1), date(2026, 1, 1), date(2026, 3, 1)]
    assert backfill_dates(days) == "2026-01-01,2026-03-01"


def test_a_backfill_of_no_dates_is_refused_because_dbt_would_take_it_for_a_refresh() -> None:
    with pytest.raises(ValueError, match="no dates"):
        backfill_dates([])


def test_all_chosen_dates_are_one_run() -> None:
    from orchestration.definitions import defs

    node = defs.resolve_asset_graph().get(HISTORY_KEY)
    assert node.backfill_policy == BackfillPolicy.single_run()
    assert [n.name for n in defs.resolve_job_def("backfill").nodes] == ["history"]


def test_every_model_kept_by_date_is_found_by_its_configuration() -> None:
    from orchestration.definitions import manifest

    by_date = {node["name"] for node in manifest["nodes"].values() if node["config"].get("by") == "as_of"}
    assert {"int_memberships", "int_membership_moves", "rfm"} <= by_date
    moves = manifest["nodes"]["model.segments_in_use.int_membership_moves"]
    # The one that is left out is the one that nothing kept by date is made from.
    children = manifest["child_map"][moves["unique_id"]]
    assert {child.split(".")[-1] for child in children if child.startswith("model.")} & by_date == set()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "FROM=: an ISO date is needed"),
        ({"FROM": "2026-01-01", "TO": "1.3.2026"}, "TO=1.3.2026: an ISO date is needed"),
        ({"FROM": "2026-02-30", "TO": "2026-03-01"}, "FROM=2026-02-30: there is no such day"),
    ],
)
def test_a_call_without_dates_says_what_is_needed(
    capsys: pytest.CaptureFixture[str], values: dict[str, str], message: str
) -> None:
    assert main(values) == BAD_CALL
    assert message in capsys.readouterr().err


def test_settings_that_the_definitions_cannot_use_are_a_bad_call(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refused(ModuleType):
        def __getattr__(self, _: str) -> None:
            raise SettingsError("HISTORY_START=2010: not an ISO date such as 2024-01-01")

    monkeypatch.setitem(sys.modules, "orchestration.definitions", Refused("orchestration.definitions"))
    assert main({"FROM": "2026-01-01", "TO": "2026-03-01"}) == BAD_CALL
    assert capsys.readouterr().err == "HISTORY_START=2010: not an ISO date such as 2024-01-01\n"
