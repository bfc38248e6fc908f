"""The candidate: one DuckDB file and one parquet file a table, made from what dbt built and from the account.

Belongs here: creating the tables with their keys and checks, filling them in the order of their keys.
Does not belong here: what the rows say (models/, orchestration/accountability/), auditing, publishing.

The rows are put in the order of the primary key, so the same rows make the same parquet files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestration.publication.ddl import (
    PublishedTable,
    ShapeError,
    column_order,
    comment_statements,
    create_statement,
)
from orchestration.publication.labels import labelled
from orchestration.publication.questions import Question, create_views
from orchestration.settings import Settings
from orchestration.storage.sql import first_row, literal, quoted
from orchestration.storage.versions import DATABASE_NAME, PARQUET_FOLDER

# Readable by DuckDB 1.1 and later, whatever version writes it.
STORAGE_VERSION = "v1.0.0"
# Rows up to which every table declares its key to readers. Larger ones do where their YAML asks for it; else their key
# is checked once, when they are written: an index on tens of millions of keys takes longer than the rows themselves.
KEY_ROWS = 1_000_000


class CandidateError(RuntimeError):
    """The candidate cannot be made; the text names table and rule."""


def write_candidate(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    tables: Mapping[str, PublishedTable],
    account: Mapping[str, pa.Table],
    asked: Sequence[Question] = (),
    currency: str | None = None,
) -> dict[str, int]:
    """Write `segments.duckdb` and `parquet/<table>.parquet` into a new folder.

    Args:
        con: sees every dbt table by its bare name.
        folder: the candidate's folder; must not exist.
        tables: what is published.
        account: the tables made in Python, by name.
        asked: the views over them, beside those that show names beside ids.
        currency: of all money, for the comments on columns; None where it is not known.

    Returns:
        Rows of each table.

    Raises:
        CandidateError: a table is missing, has other columns than promised, or breaks a key or check; a view asks for
            what is not there.
    """
    (folder / PARQUET_FOLDER).mkdir(parents=True)
    con.execute(f"attach {literal(folder / DATABASE_NAME)} as candidate (storage_version '{STORAGE_VERSION}')")
    try:
        rows = {name: _write_table(con, folder, table, account, currency) for name, table in sorted(tables.items())}
        columns = {
            name: [row[0] for row in con.execute(f"describe candidate.main.{quoted(name)}").fetchall()]
            for name in tables
        }
        _create_views(con, [*asked, *labelled(tables, columns)], currency)
        con.execute("checkpoint candidate")
    finally:
        con.execute("detach candidate")
    return rows


def _write_table(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    table: PublishedTable,
    account: Mapping[str, pa.Table],
    currency: str | None,
) -> int:
    if table.is_account:
        if table.name not in account:
            raise CandidateError(f"{table.name}: promised by the source `account`, and not made")
        con.register("account_rows", account[table.name])
        source = "account_rows"
    else:
        source = quoted(table.name)
    try:
        found = {row[0]: row[1] for row in con.execute(f"describe select * from {source}").fetchall()}
        names = column_order(table, found)
        columns = ", ".join(quoted(c) for c in names)
        order = ", ".join(f"{quoted(c)} nulls first" for c in table.primary_key)
        target = f"candidate.main.{quoted(table.name)}"
        is_key_indexed = table.is_key_indexed or _count(con, source) <= KEY_ROWS
        statement = create_statement(table, found, is_key_indexed)
        con.execute(statement.replace("create table ", "create table candidate.main.", 1))
        con.execute(f"insert into {target} ({columns}) select {columns} from {source} order by {order}")
        with _at_once(con):
            for comment in comment_statements(table, names, target, currency):
                con.execute(comment)
        if not is_key_indexed:
            _require_unique(con, target, table)
        parquet = folder / PARQUET_FOLDER / f"{table.name}.parquet"
        # Read in the order in which they were put in.
        con.execute(f"copy {target} to {literal(parquet)} (format parquet, compression zstd)")
        return _count(con, target)
    except ShapeError as error:
        raise CandidateError(str(error)) from None
    except duckdb.CatalogException as error:
        raise CandidateError(f"{table.name}: not built ({_first_line(error)})") from error
    except duckdb.ConstraintException as error:
        raise CandidateError(f"{table.name}: {_first_line(error)}") from error
    finally:
        if table.is_account:
            con.unregister("account_rows")


def _create_views(con: duckdb.DuckDBPyConnection, asked: Sequence[Question], currency: str | None) -> None:
    try:
        with _at_once(con):
            create_views(con, "candidate.main", asked, currency)
    except (duckdb.Error, ValueError) as error:
        raise CandidateError(f"a view of the candidate cannot be made: {_first_line(error)}") from error


@contextmanager
def _at_once(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """One transaction: a thousand comments that each wait for the disk take seconds."""
    con.execute("begin transaction")
    try:
        yield
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")


def _count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    counted = first_row(con.execute(f"select count(*) from {relation}"))
    return int(counted[0]) if counted else 0


def _require_unique(con: duckdb.DuckDBPyConnection, target: str, table: PublishedTable) -> None:
    key = ", ".join(quoted(c) for c in table.primary_key)
    twice = first_row(con.execute(f"select {key} from {target} group by all having count(*) > 1 order by all limit 1"))
    if twice:
        values = ", ".join(f"{name}: {value}" for name, value in zip(table.primary_key, twice, strict=True))
        raise CandidateError(f"{table.name}: more than one row of the key {values}")


def prepare_folders(settings: Settings, candidate: Path) -> None:
    """An empty place for the candidate; candidates of earlier refreshes, which failed, are gone."""
    from orchestration.storage.files import remove_folder

    if settings.candidate_dir.is_dir():
        for old in sorted(settings.candidate_dir.iterdir()):
            if old.is_dir():
                remove_folder(old)
            else:
                old.unlink()
    candidate.parent.mkdir(parents=True, exist_ok=True)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
