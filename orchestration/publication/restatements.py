"""What a refresh says otherwise about the past than the version that is published now: dates and memberships, counted.

Belongs here: comparing the history that was published with the one that is about to be.
Does not belong here: the history itself (models/marts/segments/customer_segment_history.sql).

Compared are the grid dates that both versions describe. The as-of date of a version is one of them only where it is a
calendar start too: otherwise it is on the grid while it is current, and leaves it with the next refresh. Schemes that
only one of the versions has are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.storage.sql import first_row
from orchestration.storage.versions import PARQUET_FOLDER


@dataclass(frozen=True)
class Restatements:
    """Grid dates before the present one whose memberships differ from what was published, and these memberships.

    None where no earlier version could be compared.
    """

    grid_dates_restated: int | None = None
    memberships_restated: int | None = None


# A membership of before that has another segment now, or is gone, is restated. One that is new on an old date is too,
# where the member has a line before that date (the line came late); a customer who registers today is a member without
# a past on every date, and restates nothing.
# Only members whose spans differ up to the last common date are spread over the dates: the others are equal by rule.
# They are looked for in the buckets of members whose hashes add up otherwise: on most days nothing of the past differs.
# A version with one date on its grid has no migrations: that date is the first of its history.
_COMPARE = """
with common_dates as (
    select as_of from int_as_of_dates where is_history_grid and not is_current
    intersect
    (
        select period_start from read_parquet($migrations)
        union
        select period_end from read_parquet($migrations)
        union
        select min(valid_from) from read_parquet($history)
    )
),

common_schemes as (
    select scheme from read_parquet($history)
    intersect
    select scheme from customer_segment_history
),

earlier as not materialized (
    select scheme, member_id, segment, valid_from, valid_to, hash(member_id) % 4096 as bucket
    from read_parquet($history) semi join common_schemes using (scheme)
    where valid_from <= (select max(as_of) from common_dates)
),

present as not materialized (
    select scheme, member_id, segment, valid_from, valid_to, hash(member_id) % 4096 as bucket
    from customer_segment_history semi join common_schemes using (scheme)
    where valid_from <= (select max(as_of) from common_dates)
),

earlier_buckets as (
    select bucket, sum(hash(scheme, member_id, segment, valid_from)) as digest
    from earlier
    group by bucket
),

present_buckets as (
    select bucket, sum(hash(scheme, member_id, segment, valid_from)) as digest
    from present
    group by bucket
),

changed_buckets as (
    select bucket
    from earlier_buckets
    full join present_buckets using (bucket)
    where earlier_buckets.digest is distinct from present_buckets.digest
),

changed_members as (
    select scheme, member_id
    from (from earlier semi join changed_buckets using (bucket)) as earlier
    full join (from present semi join changed_buckets using (bucket)) as present
        using (scheme, member_id, segment, valid_from)
    where earlier.segment is null or present.segment is null
    group by scheme, member_id
),

earlier_memberships as (
    select common_dates.as_of, earlier.scheme, earlier.member_id, earlier.segment
    from earlier semi join changed_members using (scheme, member_id)
    inner join common_dates
        on common_dates.as_of >= earlier.valid_from
        and (earlier.valid_to is null or common_dates.as_of < earlier.valid_to)
),

present_memberships as (
    select common_dates.as_of, present.scheme, present.member_id, present.segment
    from present semi join changed_members using (scheme, member_id)
    inner join common_dates
        on common_dates.as_of >= present.valid_from
        and (present.valid_to is null or common_dates.as_of < present.valid_to)
),

first_lines as (
    select customer_id as member_id, first_line_on
    from int_customers
),

restated as (
    select as_of
    from earlier_memberships
    full join present_memberships using (as_of, scheme, member_id)
    left join first_lines using (member_id)
    where
        earlier_memberships.segment <> present_memberships.segment
        or present_memberships.segment is null
        or (earlier_memberships.segment is null and first_lines.first_line_on < as_of)
)

select count(distinct as_of), count(*) from restated
"""


def count_restatements(con: duckdb.DuckDBPyConnection, version: Path | None) -> Restatements:
    """Compare the history that `con` sees with that of a published version.

    Args:
        con: sees the tables of the build by their bare names.
        version: the folder of the version that is published now, if any.
    """
    if version is None:
        return Restatements()
    files = {
        "history": str(version / PARQUET_FOLDER / "customer_segment_history.parquet"),
        "migrations": str(version / PARQUET_FOLDER / "segment_migrations.parquet"),
    }
    if not all(Path(file).is_file() for file in files.values()):
        return Restatements()
    found = first_row(con.execute(_COMPARE, files))
    return Restatements(int(found[0]), int(found[1])) if found else Restatements()
