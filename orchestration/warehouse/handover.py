"""Tables that an engine keeps as Parquet files, handed over to Python: the build file becomes a set of views of them.

Belongs here: one DuckDB file with a view a table, under the name that dbt gave it; so everything that reads the build
file reads it the same way, whatever engine built it.
Does not belong here: what is read from it (tables.py), writing any of the tables.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from orchestration.settings import Settings
from orchestration.storage.sql import literal, quoted

FILES = "*.parquet"


def hand_over(settings: Settings) -> list[str]:
    """Write the build file anew, with a view of each table's files; nothing is done where DuckDB itself built.

    The file appears whole, so readers see the old views or the new ones.

    Returns:
        The tables, by name.
    """
    if settings.dbt_target == "duckdb":
        return []
    tables = table_folders(settings.spark_tables_dir)
    unfinished = settings.build_file.with_name(f".{settings.build_file.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    settings.build_file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with duckdb.connect(str(unfinished)) as con:
            con.execute("set TimeZone = 'UTC'")
            for folder in tables:
                con.execute(f"create view {quoted(folder.name)} as {view_text(con, folder)}")
        os.replace(unfinished, settings.build_file)
    finally:
        unfinished.unlink(missing_ok=True)
    return [folder.name for folder in tables]


def table_folders(tables_dir: Path) -> list[Path]:
    """The folders that hold a table's files, in the order of their names; those without a file are left out."""
    if not tables_dir.is_dir():
        return []
    return sorted(
        folder for folder in tables_dir.iterdir() if folder.is_dir() and next(folder.rglob(FILES), None) is not None
    )


def view_text(con: duckdb.DuckDBPyConnection, folder: Path) -> str:
    """A select of all files of a table; moments are timestamps in UTC, as they are in the tables that DuckDB builds."""
    reader = f"read_parquet({literal(_glob_free(folder) + '/**/' + FILES)}, hive_partitioning = true)"
    columns = con.execute(f"describe select * from {reader}").fetchall()
    selected = ", ".join(
        f"timezone('UTC', {quoted(name)}) as {quoted(name)}" if kind == "TIMESTAMP WITH TIME ZONE" else quoted(name)
        for name, kind, *_ in columns
    )
    return f"select {selected} from {reader}"


def _glob_free(path: Path) -> str:
    """The path as a pattern that matches itself only."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path))
