"""The past, computed on purpose: as-of dates of the history grid as Dagster partitions, and the job `backfill`.

Belongs here: which partitions there are, one run over many of them.
Does not belong here: `make backfill` (orchestration/backfill.py),
dbt's arguments (warehouse/dbt_arguments.py), which models are kept by date (macros/kept.sql).

A refresh computes whatever dates are missing by itself, so a backfill is needed for two things only: to compute a long
past in pieces before the first refresh (or after another `history_grid`), and to compute dates again that somebody
doubts. The dates are handed to one dbt run by the environment (BACKFILL_DATES): changed --vars would make dbt parse the
project again. The next refresh publishes what was computed; a backfill publishes nothing.
"""

import os
import time
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    BackfillPolicy,
    DailyPartitionsDefinition,
    MaterializeResult,
    MonthlyPartitionsDefinition,
    TimeWindowPartitionsDefinition,
    WeeklyPartitionsDefinition,
    asset,
    define_asset_job,
)

from orchestration.audit.told import ROW_COUNT
from orchestration.defs.retries import retried
from orchestration.defs.run import RefreshRun, environment
from orchestration.defs.translator import ENGINEERS, HISTORY_KEY, LANDING_KEY, docs
from orchestration.settings import PROJECT_DIR, Settings, SettingsError
from orchestration.storage.versions import published_version, read_manifest
from orchestration.warehouse.dbt_arguments import BACKFILL_DATES, backfill_arguments, backfill_dates
from orchestration.warehouse.handover import hand_over
from orchestration.warehouse.project import project_vars
from orchestration.warehouse.tables import built_tables

# Where nothing is published yet, so that no first order is known: few exports reach further back.
FIRST_DATE = date(2015, 1, 1)
HISTORY_START = "HISTORY_START"
# Dagster's names for the ends of a range of partitions that one run computes.
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


def history_start(settings: Settings, environ: Mapping[str, str] | None = None) -> date:
    """The first date that may be on the grid: HISTORY_START in the environment, else what the published version says of
    its first order, else FIRST_DATE. No data is read: this runs whenever Dagster loads the project.

    Raises:
        SettingsError: HISTORY_START is no ISO date.
    """
    text = (os.environ if environ is None else environ).get(HISTORY_START, "").strip()
    if text:
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise SettingsError(f"{HISTORY_START}={text}: not an ISO date such as 2024-01-01") from error
    version = published_version(settings)
    said = read_manifest(version).get("history_from") if version else None
    return date.fromisoformat(said) if said else FIRST_DATE


def grid_partitions(grid: str, start: date, timezone: str) -> TimeWindowPartitionsDefinition:
    """The calendar starts of the grid from `start` to today, each a partition named for its ISO date.

    A date can be described as soon as it begins, so the window that has begun is a partition too (`end_offset`).

    Args:
        grid: the dbt var `history_grid`: `month`, `week` (from Monday) or `day`.
        start: no earlier date is a partition.
        timezone: the stores' zone, in which today begins.

    Raises:
        ValueError: `grid` is none of the three.
    """
    common: dict[str, Any] = {"start_date": start.isoformat(), "timezone": timezone, "fmt": "%Y-%m-%d", "end_offset": 1}
    if grid == "month":
        return MonthlyPartitionsDefinition(**common)
    if grid == "week":
        return WeeklyPartitionsDefinition(**common, day_offset=1)
    if grid == "day":
        return DailyPartitionsDefinition(**common)
    raise ValueError(f"var history_grid: {grid} is none of month, week, day")


def history_asset(settings: Settings) -> AssetsDefinition:
    """`history`: what is kept by as-of date, a partition a date."""
    partitions = grid_partitions(
        str(project_vars(settings).get("history_grid", "month")), history_start(settings), settings.store_timezone
    )

    @asset(
        key=HISTORY_KEY,
        group_name="history",
        kinds={"dbt", "duckdb"},
        deps=[LANDING_KEY],
        owners=[ENGINEERS],
        metadata=docs("kept-tables"),
        partitions_def=partitions,
        # One dbt run, whatever number of dates: they share what they are computed from, and dbt's start.
        backfill_policy=BackfillPolicy.single_run(),
    )
    def history(context: AssetExecutionContext, refresh: RefreshRun) -> MaterializeResult:
        """Everybody's features and segments on past dates of the grid, computed again for the chosen ones."""
        began = time.monotonic()
        dates = sorted(date.fromisoformat(key) for key in context.partition_keys)
        with retried(context):
            run_dbt(refresh.settings, dates)
        rows = rows_by_date(refresh.settings, dates)
        for day in dates:
            if day not in rows:
                context.log.warning(f"{day} is not on the history grid of this input: nothing was computed")
        return MaterializeResult(
            metadata={
                ROW_COUNT: sum(rows.values()),
                "as_of": ", ".join(map(str, dates)),
                "rows_by_date": {day.isoformat(): count for day, count in rows.items()},
                "seconds": round(time.monotonic() - began, 3),
            }
        )

    return history


backfill = define_asset_job(
    "backfill",
    selection=[HISTORY_KEY],
    description="Computes past as-of dates again, all that are chosen in one dbt run; the next refresh publishes them.",
)


def run_dbt(settings: Settings, dates: Sequence[date]) -> None:
    """Compute the dates and nothing else that is kept by date; what they are computed from is brought up to date.

    Raises:
        RuntimeError: dbt failed; the text is the end of what it said.
    """
    import subprocess

    from orchestration.warehouse.project import DBT_COMMAND, own_arguments

    folder = settings.build_file.parent / "target" / "backfill"
    folder.mkdir(parents=True, exist_ok=True)
    command = [*DBT_COMMAND, "--no-use-colors", *backfill_arguments(settings.dbt_target, own_arguments(settings))]
    with environment(settings, **{BACKFILL_DATES: backfill_dates(dates)}):
        done = subprocess.run(
            [*command, "--target-path", str(folder)],
            cwd=PROJECT_DIR,
            env={**os.environ, "DBT_LOG_PATH": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    print(done.stdout, flush=True)
    if done.returncode:
        raise RuntimeError(f"dbt failed:\n{done.stdout.strip()[-3000:]}")
    hand_over(settings)


def rows_by_date(settings: Settings, dates: Sequence[date]) -> dict[date, int]:
    """Memberships on each of the dates that have any."""
    with built_tables(settings) as con:
        found = con.execute(
            "select as_of, count(*) from int_memberships where list_contains(?, as_of) group by as_of order by as_of",
            [list(dates)],
        ).fetchall()
    return {day: int(count) for day, count in found}
