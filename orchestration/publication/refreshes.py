"""The table `refreshes`: what each published refresh read and checked, carried from refresh to refresh.

Belongs here: the row of this refresh, the rows of earlier ones, their file in the state folder.
Does not belong here: the candidate's other tables.

A row is written when the candidate is complete, with the checks known by then (those of landing and models); the counts
at publication, the candidate's own audit included, are in manifest.json. Only published refreshes enter the state: a
refresh that failed leaves its log, and nothing else.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.publication.publish import CheckCounts
from orchestration.publication.restatements import Restatements
from orchestration.settings import Settings
from orchestration.storage.files import write_atomically
from orchestration.storage.sql import first_row
from orchestration.storage.versions import PARQUET_FOLDER, published_version

STATE_NAME = "refreshes.parquet"
SCHEMA = pa.schema(
    [
        ("refresh_id", pa.string()),
        ("as_of", pa.date32()),
        ("started_at", pa.timestamp("us")),
        ("finished_at", pa.timestamp("us")),
        ("rows_landed", pa.int64()),
        ("rows_staged", pa.int64()),
        ("rows_quarantined", pa.int64()),
        ("rows_duplicate", pa.int64()),
        ("rows_superseded", pa.int64()),
        ("rows_not_counted", pa.int64()),
        ("rows_anonymous", pa.int64()),
        ("equal_lines", pa.int64()),
        ("equal_lines_amount", pa.decimal128(18, 4)),
        ("checks_passed", pa.int64()),
        ("checks_failed", pa.int64()),
        ("grid_dates_restated", pa.int64()),
        ("memberships_restated", pa.int64()),
    ]
)


@dataclass(frozen=True)
class RowAccount:
    """Rows of all landing tables together: landed = staged + quarantined + duplicate.

    Of the staged ones, `rows_not_counted` are order lines whose status does not count, `rows_anonymous` those that
    count and are no customer's. Equal lines are order lines without a line number beyond the first of equal ones in a
    file, staged or not by the var equal_lines; their amount is in the currency of the lines.
    """

    rows_landed: int
    rows_staged: int
    rows_quarantined: int
    rows_duplicate: int
    rows_superseded: int = 0
    rows_not_counted: int = 0
    rows_anonymous: int = 0
    equal_lines: int = 0
    equal_lines_amount: Decimal = Decimal(0)


def read_row_account(con: duckdb.DuckDBPyConnection) -> RowAccount:
    """The row account of the build that `con` sees, over all tables."""
    row = first_row(
        con.execute(
            "select coalesce(sum(rows_landed), 0), coalesce(sum(rows_staged), 0),"
            " coalesce(sum(rows_quarantined), 0), coalesce(sum(rows_duplicate), 0), coalesce(sum(rows_superseded), 0),"
            " coalesce(sum(rows_not_counted), 0), coalesce(sum(rows_anonymous), 0),"
            " coalesce(sum(equal_lines), 0), coalesce(sum(equal_lines_amount), 0) from row_account"
        )
    )
    assert row is not None
    landed, staged, quarantined, duplicate, superseded, not_counted, anonymous, equal = (int(n) for n in row[:8])
    return RowAccount(
        landed, staged, quarantined, duplicate, superseded, not_counted, anonymous, equal, Decimal(row[8])
    )


def refresh_row(
    refresh_id: str,
    as_of: date,
    started_at: datetime,
    finished_at: datetime,
    account: RowAccount,
    checks: CheckCounts,
    restatements: Restatements | None = None,
) -> pa.Table:
    """The row of this refresh; timestamps in UTC. `checks_failed` counts warnings and errors alike."""
    row = {
        "refresh_id": refresh_id,
        "as_of": as_of,
        "started_at": started_at.replace(tzinfo=None),
        "finished_at": finished_at.replace(tzinfo=None),
        **asdict(account),
        "checks_passed": checks.passed,
        "checks_failed": checks.warned + checks.failed,
        **asdict(restatements or Restatements()),
    }
    return pa.Table.from_pylist([row], schema=SCHEMA)


def known_refreshes(settings: Settings) -> pa.Table:
    """Rows of all refreshes published so far, by id.

    From the state folder and from the published version, so that a stop between publishing and noting loses nothing.
    """
    found = [_read(settings.state_dir / STATE_NAME)]
    version = published_version(settings)
    if version is not None:
        found.append(_read(version / PARQUET_FOLDER / STATE_NAME))
    rows = {row["refresh_id"]: row for table in found for row in table.to_pylist()}
    return pa.Table.from_pylist([rows[key] for key in sorted(rows)], schema=SCHEMA)


def with_row(earlier: pa.Table, row: pa.Table) -> pa.Table:
    """Earlier rows and this one, by id; a row of the same id is replaced."""
    rows = {r["refresh_id"]: r for table in (earlier, row) for r in table.to_pylist()}
    return pa.Table.from_pylist([rows[key] for key in sorted(rows)], schema=SCHEMA)


def note(settings: Settings, refreshes: pa.Table) -> Path:
    """Write the state file at once, whole."""
    sink = pa.BufferOutputStream()
    pq.write_table(refreshes, sink)
    path = settings.state_dir / STATE_NAME
    write_atomically(path, sink.getvalue().to_pybytes())
    return path


def _read(path: Path) -> pa.Table:
    if not path.is_file():
        return SCHEMA.empty_table()
    table = pq.read_table(path)
    return pa.Table.from_pylist([{c: row.get(c) for c in SCHEMA.names} for row in table.to_pylist()], schema=SCHEMA)
