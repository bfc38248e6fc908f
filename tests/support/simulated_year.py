"""A year of daily refreshes on a simulated clock: `python -m tests.support.simulated_year <folder> <days a step>`.

Each step lands the files of its days and builds the history as of the day after, in one warehouse that keeps what it
has; on the way lines come late, files are corrected, deleted and sent again, and the build file is lost. At the end the
same files are built once, in a warehouse of their own. What was found is printed as one line of JSON.

dbt runs in this process, on the models up to the history: a whole refresh spends its seconds on start-up, checks and
publication, which other tests look at. With 7 days a step the year is 53 builds (about two minutes); with 1 it is 365
(`make test-year`).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from orchestration.publication.restatements import Restatements, count_restatements
from orchestration.settings import ALREADY_LANDED, Settings
from orchestration.warehouse.tables import built_tables
from tests.support import growing_zone, project
from tests.support.growing_zone import FIRST_DAY, Zone, day_file, order_lines, write_day, write_lines

ZONE = Zone(customers=10, days=365, visits=0.09, seed=3)
TABLES = ("customer_segment_history", "segment_migrations")
MODELS = ["--select", *(f"+{table}" for table in TABLES)]
# Weeks: a year has 52 dates to keep, and a line that comes three weeks late restates three of them.
VARS = '{"history_grid": "week"}'
# Day of the year on which it happens.
LATE, CORRECTED, DELETED, SENT_AGAIN, LOST, NEW_PROFILE = 100, 149, 198, 240, 250, 301
EVENTS = {
    LATE: "late",
    CORRECTED: "corrected",
    DELETED: "deleted",
    SENT_AGAIN: "sent again",
    LOST: "lost",
    NEW_PROFILE: "profile",
}
BROKEN = """
    select count(*) from (
        select valid_to, is_current, lead(valid_from) over days as next_from
        from customer_segment_history
        window days as (partition by scheme, member_id order by valid_from)
    )
    where valid_to is distinct from next_from or is_current <> (valid_to is null)
"""
REPEATED = "select count(*) - count(distinct (scheme, member_id, valid_from)) from customer_segment_history"
NOT_STARTED = """
    select count(*) from customer_segment_history
    where valid_to <= valid_from or valid_from not in (select as_of from int_as_of_dates where is_history_grid)
"""
UNCOVERED = """
    select count(*) from int_memberships as memberships
    semi join int_as_of_dates as dates on memberships.as_of = dates.as_of and dates.is_history_grid
    left join customer_segment_history as spans
        on memberships.scheme = spans.scheme and memberships.member_id = spans.member_id
        and memberships.as_of >= spans.valid_from and memberships.as_of < coalesce(spans.valid_to, date '9999-01-01')
    where spans.segment is distinct from memberships.segment
"""


def day_of(number: int) -> date:
    """The day of the year with this number, from 0."""
    return FIRST_DAY + timedelta(days=number)


@contextmanager
def dbt_of(settings: Settings) -> Iterator[Any]:
    """A function that runs dbt in this process on the warehouse, parsed once; the build file is free between runs."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    folder = settings.warehouse_dir / "dbt"
    given = {**settings.environment(), ALREADY_LANDED: "1", "DBT_TARGET_PATH": str(folder), "DBT_LOG_PATH": str(folder)}
    os.environ.update(given)
    os.chdir(project.ROOT)
    quiet = ["--quiet", "--log-level-file", "none", "--no-write-json"]
    parsed = dbtRunner().invoke([*quiet, "parse", "--vars", VARS])
    assert parsed.success, parsed.exception
    runner = dbtRunner(manifest=parsed.result)

    def run(command: str, as_of: date, *arguments: str) -> None:
        os.environ["AS_OF"] = as_of.isoformat()
        try:
            done = runner.invoke([*quiet, command, "--vars", VARS, *arguments])
            assert done.success, done.exception or [r.message for r in done.result if r.status == "error"]
        finally:
            DuckDBConnectionManager.close_all_connections()

    yield run


def build(settings: Settings, run: Any, as_of: date) -> None:
    """Land what is new, and build up to the history; seeds where there is no build file."""
    from orchestration.landing.prepare import prepare

    is_new = not settings.build_file.is_file()
    prepare(settings)
    if is_new:
        run("seed", as_of)
    run("run", as_of, *MODELS)


def happen(number: int, landing_dir: Path, settings: Settings) -> None:
    """What happens on a day of the year, besides its own lines."""
    if number == LATE:
        late = [f"late,{n},c{n},p{n}-0,{day_of(78)}T12:00:00Z,1,7.50,0,0" for n in range(1, 6)]
        write_lines(day_file(landing_dir, day_of(number)).with_name("late.csv"), late)
    elif number == CORRECTED:
        # Ten days were booked on the wrong cards: everybody's lines are another's.
        for day in map(day_of, range(number - 40, number - 30)):
            lines = [line.split(",") for line in order_lines(ZONE, day)]
            for columns in lines:
                columns[2] = f"c{(int(columns[2][1:]) + 1) % ZONE.customers}"
            write_lines(day_file(landing_dir, day), [",".join(columns) for columns in lines])
    elif number == DELETED:
        for back in range(60, 75):
            day_file(landing_dir, day_of(number - back)).unlink()
    elif number == SENT_AGAIN:
        again = order_lines(ZONE, day_of(number - 20))
        write_lines(day_file(landing_dir, day_of(number)).with_name("again.csv"), again)
    elif number == LOST:
        shutil.rmtree(settings.build_file.parent)
    elif number == NEW_PROFILE:
        path = landing_dir / "customers" / "rows.csv"
        path.write_text(path.read_text(encoding="utf-8").replace(",female,", ",male,", 1), encoding="utf-8")


def contents(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a query over the build."""
    with built_tables(settings) as con:
        return con.execute(sql).fetchall()


def broken(settings: Settings) -> dict[str, int]:
    """Rows of the history that break a rule, by rule; empty where all is well."""
    rules = {"gap or overlap": BROKEN, "twice": REPEATED, "off the grid": NOT_STARTED, "another segment": UNCOVERED}
    return {name: count for name, sql in rules.items() for ((count,),) in [contents(settings, sql)] if count}


def note_version(settings: Settings, folder: Path) -> None:
    """The tables that a published version would hold, as parquet files in `folder`."""
    (folder / "parquet").mkdir(parents=True, exist_ok=True)
    with built_tables(settings) as con:
        for table in TABLES:
            con.execute(f"copy {table} to '{folder}/parquet/{table}.parquet' (format parquet)")


def restated(settings: Settings, folder: Path) -> Restatements:
    """What the build says otherwise than the version in `folder`."""
    with built_tables(settings) as con:
        return count_restatements(con, folder)


def main() -> None:
    base, step = Path(sys.argv[1]).resolve(), int(sys.argv[2])
    landing_dir = growing_zone.write_zone(base / "zone", Zone(ZONE.customers, 1, ZONE.visits, ZONE.seed))
    began = time.monotonic()
    settings = Settings(landing_dir, base / "warehouse", None, "UTC", "duckdb")
    found: dict[str, Any] = {"builds": 0, "problems": [], "restated": {}}
    with dbt_of(settings) as run:
        for number in range(1, ZONE.days):
            write_day(landing_dir, ZONE, day_of(number))
            happen(number, landing_dir, settings)
            if number % step and number not in EVENTS and number != ZONE.days - 1:
                continue
            build(settings, run, day_of(number + 1))
            found["builds"] += 1
            found["problems"] += [[number, name, count] for name, count in broken(settings).items()]
            if found["builds"] > 1:
                told = restated(settings, base / "version")
                if told != Restatements(0, 0) or number in EVENTS:
                    found["restated"][number] = [told.grid_dates_restated, told.memberships_restated]
            note_version(settings, base / "version")
            # For whoever waits for a year of days.
            print(number, round(time.monotonic() - began), found["problems"], file=sys.stderr, flush=True)
    found["seconds"] = round(time.monotonic() - began)
    once = Settings(landing_dir, base / "once", None, "UTC", "duckdb")
    with dbt_of(once) as run:
        build(once, run, day_of(ZONE.days))
    queries = {table: f"select * from {table} order by all" for table in TABLES}
    # made_from knows when a file was landed, which is another moment in the other warehouse.
    queries["int_memberships"] = "select * exclude (made_from) from int_memberships order by all"
    found["rows"] = {name: len(contents(settings, sql)) for name, sql in queries.items()}
    found["differing"] = [name for name, sql in queries.items() if contents(settings, sql) != contents(once, sql)]
    ((found["dates"],),) = contents(once, "select count(*) from int_as_of_dates where is_history_grid")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
