"""Reading the published file: what is there, as rows.

Belongs here: opening the file read-only, knowing which tables and columns it has, small queries.
Does not belong here: what a row means or how it is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from orchestration import memory

Row = dict[str, Any]


class Published:
    """A published or candidate segments.duckdb. Tables of an older version may lack columns, or be absent."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self._columns: dict[str, set[str]] = {}
        found = con.execute(
            "select table_name, column_name from duckdb_columns() where schema_name = 'main' and not internal"
        )
        for table, column in found.fetchall():
            self._columns.setdefault(table, set()).add(column)

    def has(self, table: str, *columns: str) -> bool:
        """Whether the table is there, with these columns."""
        return table in self._columns and set(columns) <= self._columns[table]

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Rows of a query, by column name. The query says the order."""
        cursor = self._con.execute(sql, list(parameters))
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]

    def table(self, table: str, *key: str) -> list[Row]:
        """All rows of a small table in the order of its key; none where the table or a key column is missing."""
        if not self.has(table, *key):
            return []
        return self.rows(f"select * from {table} order by {', '.join(f'{column} nulls first' for column in key)}")


@contextmanager
def open_published(database: Path) -> Iterator[Published]:
    """The file, read-only, for the time of a `with`.

    Raises:
        FileNotFoundError: there is no such file; the text names it.
    """
    if not database.is_file():
        raise FileNotFoundError(f"{database}: no such database, so there is nothing to report")
    con = memory.connect(database, read_only=True)
    try:
        yield Published(con)
    finally:
        con.close()
