"""Names and values in SQL that is put together in Python, quoted as DuckDB and PostgreSQL read them."""

from __future__ import annotations


def quoted(name: str) -> str:
    """A name as an SQL identifier, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """A value, or a path, as an SQL text."""
    return "'" + str(value).replace("'", "''") + "'"
