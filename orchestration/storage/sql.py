"""Names and values in SQL that is put together in Python, quoted as DuckDB and PostgreSQL read them; its first row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb


def quoted(name: str) -> str:
    """A name as an SQL identifier, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """A value, or a path, as an SQL text."""
    return "'" + str(value).replace("'", "''") + "'"


def first_row(result: duckdb.DuckDBPyConnection) -> tuple[Any, ...] | None:
    """The first row of what was just executed, None where there is none.

    All rows are fetched: DuckDB 2 refuses other work on a connection whose result was not read to its end. So for
    questions with an answer or a few.
    """
    rows = result.fetchall()
    return rows[0] if rows else None
