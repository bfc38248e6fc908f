"""Reading what dbt built, the same way whatever engine built it.

Belongs here: a DuckDB connection in which every dbt table is there by its bare name.
Does not belong here: writing anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from orchestration import memory
from orchestration.settings import Settings
from orchestration.storage.sql import first_row, literal


class NotBuilt(RuntimeError):
    """The models were not built; the text says what to run."""


@contextmanager
def built_tables(settings: Settings, candidate: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an empty database in memory with the build file attached read-only and searched first.

    Temporary tables may be made in it; the build file cannot be changed, and is free again after the block.

    Args:
        candidate: a candidate's database; its tables come before those of the build.

    Raises:
        NotBuilt: there is no build file.
    """
    if not settings.build_file.is_file():
        raise NotBuilt(f"{settings.build_file} is not there: build the models first (make refresh)")
    con = memory.connect(warehouse=settings.warehouse_dir)
    try:
        con.execute("set TimeZone = 'UTC'")
        # `d + interval 30 day` and `d + interval 1 month` in one select give the same value otherwise.
        con.execute("set disabled_optimizers = 'common_subexpressions'")
        # Under the name that dbt knows it by: the text of a view names its tables with it.
        built = f'"{settings.build_file.stem}".main'
        con.execute(f'attach {literal(settings.build_file)} as "{settings.build_file.stem}" (read_only)')
        con.execute(f"use {built}")
        if candidate is not None:
            con.execute(f"attach {literal(candidate)} as audited (read_only)")
            con.execute(f"set search_path = 'audited.main,{built}'")
        yield con
    finally:
        con.close()


def current_as_of(con: duckdb.DuckDBPyConnection) -> date:
    """The as-of date of the build.

    Raises:
        NotBuilt: the grid holds no current date, or more than one.
    """
    found = con.execute("select as_of from int_as_of_dates where is_current").fetchall()
    if len(found) != 1:
        raise NotBuilt(f"int_as_of_dates holds {len(found)} current as-of dates; one is needed")
    as_of: date = found[0][0]
    return as_of


def refresh_day(con: duckdb.DuckDBPyConnection, settings: Settings) -> date:
    """The day that a refresh of the staged lines describes, before the models say so: AS_OF, else the local date after
    the last order line that counts, as in models/intermediate/clocks/int_as_of_dates.sql.

    Raises:
        NotBuilt: no line is staged.
    """
    if settings.as_of is not None:
        return settings.as_of
    found = first_row(con.execute("select max(ordered_on) + 1 from stg_order_lines where is_counted"))
    if found is None or found[0] is None:
        raise NotBuilt("stg_order_lines has no line that counts: there is no last order line")
    day: date = found[0]
    return day


def row_counts(con: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> dict[str, int]:
    """Rows of each table that exists; names that do not exist are left out."""
    existing = {row[0] for row in con.execute("select table_name from information_schema.tables").fetchall()}
    counts = {}
    for table in sorted(set(tables) & existing):
        row = first_row(con.execute(f'select count(*) from "{table}"'))
        counts[table] = int(row[0]) if row else 0
    return counts
