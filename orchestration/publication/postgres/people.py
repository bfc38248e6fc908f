"""Forgetting a person in PostgreSQL: the published version is written there anew without them, the others are dropped.

Belongs here: looking for an id in our schemas, replacing them.
Does not belong here: the files of the warehouse folder (orchestration/audiences/forget.py, which comes first).

Rows are not deleted: a deleted row stays readable in the server's files until they are vacuumed; a dropped table's
files are gone.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.publication.postgres.server import PostgresError, Server, connected, in_words, only_writer, rows
from orchestration.publication.postgres.versions import (
    SWITCH_PAUSE,
    SWITCH_SECONDS,
    drop_version,
    publish_to_postgres,
    versions_there,
)
from orchestration.storage.sql import literal, quoted

if TYPE_CHECKING:
    import psycopg


def forget_in_postgres(
    server: Server,
    version: Path | None,
    person_id: str,
    columns: Sequence[str],
    is_distinct: bool,
    seconds: float = SWITCH_SECONDS,
    publish: Callable[..., Any] = publish_to_postgres,
) -> tuple[int, list[str]]:
    """Take a person out of our schemas; mostly there is nothing to do but to look.

    Args:
        version: the published version, without the person; None where nothing is published.
        columns: columns that say whom a row is about.
        is_distinct: whether the id is found in any text; else only in `columns`.
        seconds: how long readers of old versions are waited for.

    Returns:
        Rows that held the id, and places where it is still found.

    Raises:
        PostgresError: the server could not be asked, or did not take the version.
    """
    found = search_postgres(server, person_id, columns, is_distinct)
    if not found:
        return 0, []
    kept = {publish(server, version, keep=1).schema} if version is not None else set()
    with connected(server) as con, only_writer(con, server), in_words(server, "PostgreSQL, old versions"):
        until = time.monotonic() + seconds
        for old in versions_there(con, server.schema):
            while old.schema not in kept and (why := drop_version(con, server, old.schema)) is not None:
                if time.monotonic() >= until:
                    raise PostgresError(f"PostgreSQL, schema {old.schema} cannot be dropped: {why}")
                time.sleep(SWITCH_PAUSE)
    left = search_postgres(server, person_id, columns, is_distinct)
    return sum(found.values()), [f"PostgreSQL, table {name}: {n} rows" for name, n in left.items()]


def search_postgres(server: Server, person_id: str, columns: Sequence[str], is_distinct: bool) -> dict[str, int]:
    """Rows in our schemas that hold an id, by `schema.table`."""
    found: dict[str, int] = {}
    with connected(server) as con, in_words(server, "PostgreSQL, looking for the id"):
        for version in versions_there(con, server.schema):
            for table, names in _columns(con, version.schema).items():
                condition = _condition(names, person_id, columns, is_distinct)
                if condition is None:
                    continue
                sql = f"select count(*) from {quoted(version.schema)}.{quoted(table)} where {condition}"
                ((n,),) = rows(con, sql)
                if n:
                    found[f"{version.schema}.{table}"] = n
    return found


def _columns(con: psycopg.Connection[Any], schema: str) -> dict[str, dict[str, str]]:
    """Columns of a schema's tables with their types."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in rows(
        con,
        "select c.relname, a.attname, format_type(a.atttypid, null) from pg_class as c"
        " inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
        " where c.relkind = 'r' and c.relnamespace = to_regnamespace(%s) order by 1, a.attnum",
        quoted(schema),
    ):
        found.setdefault(table, {})[column] = kind
    return found


def _condition(names: dict[str, str], person_id: str, columns: Sequence[str], is_distinct: bool) -> str | None:
    """SQL for rows that hold an id, as forgetting searches the files: None where no row can."""
    wanted = literal(person_id)
    conditions = [f"{quoted(name)}::text = {wanted}" for name in names if name in columns]
    if is_distinct:
        conditions += [f"strpos({quoted(name)}::text, {wanted}) > 0" for name in names]
    else:
        # Texts in which a person may be named: '"customer_id":"12"' in a refused row.
        pattern = f'"({"|".join(columns)})"\\s*:\\s*"{re.escape(person_id)}"'
        conditions += [f"{quoted(name)} ~ {literal(pattern)}" for name, kind in names.items() if kind == "text"]
    return " or ".join(f"coalesce({condition}, false)" for condition in conditions) or None
