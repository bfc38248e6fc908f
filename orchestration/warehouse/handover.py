"""Tables that an engine keeps as Parquet files, handed over to Python: the build file becomes a set of views of them.

Belongs here: one DuckDB file with a view a table, under the name that dbt gave it; so everything that reads the build
file reads it the same way, whatever engine built it.
Does not belong here: what is read from it (tables.py), writing any of the tables.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Set
from pathlib import Path

import duckdb

from orchestration.settings import Settings
from orchestration.storage.sql import literal, quoted

FILES = "*.parquet"
# How Spark writes a partition of rows without a value.
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


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
        folder for folder in tables_dir.iterdir() if folder.is_dir() and next(_files(folder), None) is not None
    )


def _files(folder: Path) -> Iterator[Path]:
    """The files of a table, from its folder on; not those of a run that was stopped before they became the table's."""
    for file in folder.rglob(FILES):
        path = file.relative_to(folder)
        if not any(part.startswith((".", "_")) for part in path.parts):
            yield path


def view_text(con: duckdb.DuckDBPyConnection, folder: Path) -> str:
    """A select of all files of a table; moments are timestamps in UTC, as they are in the tables that DuckDB builds."""
    files = list(_files(folder))
    folders = {tuple(_folder_pattern(part) for part in file.parts[:-1]) for file in files}
    patterns = ["/".join([_glob_free(str(folder)), *each, FILES]) for each in sorted(folders)]
    # DuckDB would take such folders above the table for columns too, before the table's own.
    is_below_keys = any("=" in part for part in folder.parts)
    listed = ", ".join(map(literal, patterns))
    reader = f"read_parquet([{listed}], hive_partitioning = {str(not is_below_keys).lower()})"
    columns = con.execute(f"describe select * from {reader}").fetchall()
    selected = [
        f"timezone('UTC', {quoted(name)}) as {quoted(name)}" if kind == "TIMESTAMP WITH TIME ZONE" else quoted(name)
        for name, kind, *_ in columns
    ]
    if is_below_keys:
        values: dict[str, set[str]] = {}
        for part in (part for file in files for part in file.parts[:-1] if "=" in part):
            key, _, value = part.partition("=")
            values.setdefault(key, set()).add(value)
        selected += [_key_of_path(key, values[key]) for key in sorted(values)]
    return f"select {', '.join(selected)} from {reader}"


def _folder_pattern(part: str) -> str:
    """A folder of a table as a pattern: of partitions, that of all values."""
    key, sign, _ = part.partition("=")
    return _glob_free(key) + (f"{sign}*" if sign else "")


def _key_of_path(key: str, values: Set[str]) -> str:
    """The column of a table's partitions from the last folder of a file's path that says it: dates where all are, else
    texts, of which Spark writes some signs as a URL does."""
    said = f"nullif(regexp_extract(filename, {literal(f'.*/{re.escape(key)}=([^/]*)/')}, 1), {literal(NO_VALUE)})"
    are_dates = all(ISO_DATE.fullmatch(value) for value in values - {NO_VALUE})
    return f"{f'cast({said} as date)' if are_dates else f'url_decode({said})'} as {quoted(key)}"


def _glob_free(path: str) -> str:
    """The path as a pattern that matches itself only."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in path)
