"""Versions with audiences in them, as small as can be, for tests of the hand-over.

Belongs here: a published version made of rows of `audiences`.
Does not belong here: what is handed over of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import duckdb

from orchestration.audiences.export import write_export
from orchestration.publication.publish import CheckCounts, publish
from orchestration.settings import Settings

Audience = tuple[str, ...]
_COLUMNS = (
    "channel varchar, member_id varchar, treatment_id varchar, scheme varchar, segment varchar, message varchar,"
    " offer varchar, offer_item varchar, evidence varchar, send_on date, priority bigint, reason varchar,"
    " company_id varchar"
)


def version(
    settings: Settings,
    day: int,
    audiences: Iterable[Audience],
    is_reviewed: bool = True,
    tables: Mapping[str, str] | None = None,
    previous: Path | None = None,
) -> Path:
    """The folder of a new version as of a day of January 2026.

    Args:
        audiences: channel, member, treatment and message of each row, and the company where it is for one.
        tables: selects of further tables, or of others in their place.
        previous: the version that the export is compared with.
    """
    candidate = settings.candidate_dir / f"202601{day:02}T050000Z-{day:08x}"
    (candidate / "parquet").mkdir(parents=True)
    as_of = date(2026, 1, day)
    rows = {}
    with duckdb.connect(str(candidate / "segments.duckdb")) as con:
        con.execute(f"create table audiences ({_COLUMNS})")
        for channel, member, treatment, message, *company in audiences:
            con.execute(
                "insert into audiences values (?, ?, ?, 'rfm', 'at_risk', ?, '-10 %', null, null, ?, 1, 'r', ?)",
                [channel, member, treatment, message, as_of, *(company or [None])],
            )
        con.execute("create table audience_decisions as select 'sent' as outcome, member_id from audiences")
        con.execute(f"create table customer_segments as select date '{as_of}' as as_of, 'm' as member_id")
        con.execute(
            "create table treatments as select distinct treatment_id, date '2026-01-01' as valid_from,"
            " cast(null as date) as valid_to from audiences"
        )
        for name, select in (tables or {}).items():
            con.execute(f"create or replace table {name} as {select}")
        for (name,) in con.execute("select table_name from duckdb_tables()").fetchall():
            con.execute(f"copy {name} to '{candidate}/parquet/{name}.parquet'")
            rows[name] = con.execute(f"select count(*) from {name}").fetchall()[0][0]
            con.execute(
                f"comment on table {name} is 'Key: {'outcome' if name == 'audience_decisions' else 'member_id'}.'"
            )
    write_export(candidate, previous, is_demo=False, is_reviewed=is_reviewed)
    return publish(settings, candidate, as_of, rows, CheckCounts(), keep_versions=9)
