"""`make backfill FROM=… TO=…`: dates of the history computed again, in one run of Dagster's job `backfill`.

Belongs here: the call, the lock, the log file, exit codes.
Does not belong here: partitions and the job (defs/backfill.py).
"""

import os
import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from dagster import (
    DagsterInstance,
    TimeWindowPartitionsDefinition,
)

from orchestration.defs.backfill import RANGE_END, RANGE_START, ROW_COUNT
from orchestration.defs.run import in_code_location
from orchestration.defs.translator import HISTORY_KEY
from orchestration.refresh import everything_into
from orchestration.settings import PROJECT_DIR, SettingsError, read_settings
from orchestration.storage.lock import LockHeld, refresh_lock
from orchestration.warehouse.engines import check_engine

DONE, STOPPED, BAD_CALL, IN_USE = 0, 1, 2, 3


def chosen(partitions: TimeWindowPartitionsDefinition, first: date, last: date) -> list[str]:
    """Keys of the partitions from `first` to `last`, both included."""
    return [key for key in partitions.get_partition_keys() if first <= date.fromisoformat(key) <= last]


def main(environ: Mapping[str, str] | None = None) -> int:
    """Compute the dates from FROM to TO, both included, in one run.

    Exit code 0 when they are computed, 1 when the run stopped, 2 when the call or the environment is wrong, 3 when a
    refresh holds the warehouse.
    """
    values = os.environ if environ is None else environ
    try:
        settings = read_settings()
        check_engine(settings, values)
        first, last = (_date(values, name) for name in ("FROM", "TO"))
        warnings.filterwarnings("ignore", module="dagster.*")
        os.environ.setdefault("DAGSTER_HOME", str(PROJECT_DIR / ".dagster_home"))
        # They read settings and HISTORY_START again.
        from orchestration.definitions import defs
    except SettingsError as error:
        print(error, file=sys.stderr)
        return BAD_CALL

    partitions = defs.resolve_asset_graph().get(HISTORY_KEY).partitions_def
    assert isinstance(partitions, TimeWindowPartitionsDefinition)
    keys = chosen(partitions, first, last)
    if not keys:
        print(f"no date of the history grid lies between {first} and {last}", file=sys.stderr)
        return BAD_CALL
    log = settings.logs_dir / f"backfill-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.log"
    try:
        with refresh_lock(settings.lock_file, purpose="backfill"), everything_into(log) as screen:
            rows = _run_job(keys)
            if rows is None:
                screen.write(f"not computed: see {log}\n")
                return STOPPED
            dates = f"{len(keys)} dates from {keys[0]} to {keys[-1]}" if len(keys) > 1 else keys[0]
            screen.write(f"{dates}: {rows:,} memberships computed\n")
            screen.write("the next refresh publishes them: make refresh\n")
            return DONE
    except LockHeld as error:
        print(f"not computed: {error}", file=sys.stderr)
        return IN_USE


def _run_job(keys: Sequence[str]) -> int | None:
    """Memberships computed by one run over the partitions; None where it failed."""
    from orchestration.definitions import defs

    with DagsterInstance.get() as instance:
        result = defs.resolve_job_def("backfill").execute_in_process(
            instance=in_code_location(instance), tags={RANGE_START: keys[0], RANGE_END: keys[-1]}, raise_on_error=False
        )
        if not result.success:
            return None
        [event, *_] = result.asset_materializations_for_node("history")
        return int(event.metadata[ROW_COUNT].value)  # type: ignore[arg-type]


def _date(values: Mapping[str, str], name: str) -> date:
    text = values.get(name, "").strip()
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise SettingsError(f"{name}={text}: an ISO date is needed, e.g. make backfill FROM=2024-01-01 TO=2024-06-01")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{name}={text}: there is no such day") from error


# As schedules of earlier versions call it; else `python -m orchestration backfill`.
if __name__ == "__main__":
    raise SystemExit(main())
