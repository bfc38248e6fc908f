"""The PostgreSQL server that PUBLISH_POSTGRES_DSN names: connecting to it, and saying what went wrong without secrets.

Belongs here: the two variables, the connection, errors in words, the advisory lock.
Does not belong here: what is written there.

The variable is a secret. It is read where it is needed and kept in no setting; texts of errors are made anew from
what the server says in its first line (its details quote values of rows), with the password and the variable itself
taken out, and without the exception that they come from.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, LiteralString, cast
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    import psycopg

PUBLISH_POSTGRES_DSN = "PUBLISH_POSTGRES_DSN"
PUBLISH_POSTGRES_SCHEMA = "PUBLISH_POSTGRES_SCHEMA"
DEFAULT_SCHEMA = "segments"
# Room for the rest of a version's name in the 63 bytes of an identifier.
_SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,24}")
HIDDEN = "***"
SHORT = 5
CONNECT_SECONDS = 10
# Waiting for another publication into the same schema: it is usually done within a minute; longer is told.
LOCK_SECONDS = 60.0
# COPY FREEZE of a table made in the same transaction, and hashtextextended.
OLDEST_SERVER = 120000


# Whatever the role's own settings are: a large table takes its time, and readers' states are those of `versions.py`.
_SESSION = """
set statement_timeout = 0;
set idle_in_transaction_session_timeout = 0;
set default_transaction_isolation = 'read committed';
set client_min_messages = warning
"""


class PostgresError(RuntimeError):
    """PostgreSQL could not be reached or did not take what it was given; the text holds no secret and no row."""


@dataclass(frozen=True)
class Server:
    """Where to publish: the connection string, and the schema whose views are read."""

    dsn: str = field(repr=False)
    schema: str = DEFAULT_SCHEMA


def server_of(environ: Mapping[str, str] | None = None) -> Server | None:
    """The server that the environment names; None where it names none.

    Raises:
        PostgresError: PUBLISH_POSTGRES_SCHEMA is no name that can be used.
    """
    values = os.environ if environ is None else environ
    dsn = values.get(PUBLISH_POSTGRES_DSN, "").strip()
    if not dsn:
        return None
    schema = values.get(PUBLISH_POSTGRES_SCHEMA, "").strip() or DEFAULT_SCHEMA
    if not _SCHEMA_NAME.fullmatch(schema) or schema.startswith("pg_"):
        raise PostgresError(
            f"{PUBLISH_POSTGRES_SCHEMA}={schema}: at most 25 lower-case letters, digits and _ are needed"
        )
    return Server(dsn, schema)


def scrubbed(text: str, dsn: str) -> str:
    """A text without the connection string and its password, in any of the spellings that a URL may give it."""
    secrets = {dsn, os.environ.get("PGPASSWORD", "")}
    password = _parameters(dsn).get("password")
    if password:
        secrets |= {password, quote(password), quote(password, safe=""), quote_plus(password)}
    # With a / or @ that is not spelt %2F or %40 the driver takes a part of the password for a port, and says so.
    found = re.search(r"://[^:]*:(.*)@", dsn)
    if found:
        secrets |= {found[1], *re.split("[/@:?]", found[1])}
    for secret in sorted((s for s in secrets if s), key=len, reverse=True):
        # A short one only where it stands by itself: else a password `p` would leave nothing to be read.
        alone = re.escape(secret) if len(secret) > SHORT else rf"(?<!\w){re.escape(secret)}(?!\w)"
        text = re.sub(alone, HIDDEN, text)
    return text


def _parameters(dsn: str) -> dict[str, Any]:
    """The parameters of a connection string; empty where it cannot be read."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        return dict(conninfo_to_dict(dsn))
    except psycopg.Error:
        return {}


def words_of(error: psycopg.Error) -> str:
    """What PostgreSQL said, in a line without values of rows."""
    diag = error.diag
    if not diag.message_primary:
        return " ".join(str(error).split()) or type(error).__name__
    said = diag.message_primary
    if (error.sqlstate or "").startswith("22"):
        # Data exceptions quote the value: invalid input syntax for type integer: "..."
        said = said.split(': "')[0]
    names = {
        "table": diag.table_name,
        "column": diag.column_name,
        "constraint": diag.constraint_name,
    }
    where = ", ".join(f"{what} {name}" for what, name in names.items() if name and name not in said)
    hint = f"; {diag.message_detail}" if (error.sqlstate or "").startswith(("2B", "42")) and diag.message_detail else ""
    return f"{said}{f' ({where})' if where else ''}{' '.join(hint.split())}"


@contextmanager
def in_words(server: Server, doing: str) -> Iterator[None]:
    """Errors of the driver in the block as PostgresError, which say what was being done.

    Raises:
        PostgresError: the driver raised an error.
    """
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        said = scrubbed(words_of(error), server.dsn)
        # Neither as its cause nor as its context: the original's text is not scrubbed.
        raise PostgresError(f"{doing}: {said}") from None


def parameters_of(server: Server) -> dict[str, Any]:
    """The parameters of its connection string.

    Raises:
        PostgresError: the string cannot be read.
    """
    parameters = _parameters(server.dsn)
    if not parameters:
        raise PostgresError(
            f"{PUBLISH_POSTGRES_DSN} cannot be read as a connection string"
            " (postgresql://user:password@host:5432/database, or host=... dbname=...; %, / and @ in a URL's password as"
            " %25, %2F and %40)"
        )
    return parameters


@contextmanager
def connected(server: Server) -> Iterator[psycopg.Connection[Any]]:
    """A connection, each statement of which is a transaction of its own unless one is begun.

    Raises:
        PostgresError: the string cannot be read, nobody answers, the server is too old or its database is not in UTF-8.
    """
    import psycopg

    parameters = parameters_of(server)
    parameters.setdefault("connect_timeout", CONNECT_SECONDS)
    parameters.setdefault("application_name", "segments-in-use")
    parameters["client_encoding"] = "UTF8"
    with in_words(server, f"{PUBLISH_POSTGRES_DSN}, connecting"):
        connection = psycopg.connect(autocommit=True, **parameters)
    try:
        if connection.info.server_version < OLDEST_SERVER:
            raise PostgresError(f"PostgreSQL 12 or later is needed; the server is {connection.info.server_version}")
        encoding = value(connection, "select current_setting('server_encoding')")
        if encoding != "UTF8":
            raise PostgresError(
                f"the database is in {encoding}: one in UTF8 is needed (create database ... encoding utf8)"
            )
        with in_words(server, "preparing the session"):
            run(connection, _SESSION)
        yield connection
    finally:
        connection.close()


def place_of(connection: psycopg.Connection[Any], server: Server) -> str:
    """Where readers look, without secrets: `schema segments of database shop on db.example:5432`."""
    info = connection.info
    return f"schema {server.schema} of database {info.dbname} on {info.host}:{info.port}"


@contextmanager
def only_writer(connection: psycopg.Connection[Any], server: Server, wait: float = LOCK_SECONDS) -> Iterator[None]:
    """Nobody else publishes into the schema during the block: an advisory lock of the session, gone with it.

    Raises:
        PostgresError: another publication holds it for longer than `wait` seconds.
    """
    key = f"segments-in-use:{server.schema}"
    until = time.monotonic() + wait
    with in_words(server, "waiting for another publication"):
        while not value(connection, "select pg_try_advisory_lock(hashtextextended(%s, 0))", key):
            if time.monotonic() >= until:
                raise PostgresError(
                    f"another publication into schema {server.schema} has been running for more than {wait:.0f} s; "
                    "when it is done, make postgres publishes there what is published here"
                )
            time.sleep(0.5)
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock_all()")


def rows(connection: psycopg.Connection[Any], sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows of a query whose text is made here, from quoted names."""
    return connection.execute(cast(LiteralString, sql), values or None).fetchall()


def value(connection: psycopg.Connection[Any], sql: str, *values: Any) -> Any:
    """The first value of a query's first row; None where there is no row."""
    found = rows(connection, sql, *values)
    return found[0][0] if found else None


def run(connection: psycopg.Connection[Any], sql: str) -> None:
    """Statements whose text is made here, from quoted names and texts."""
    connection.execute(cast(LiteralString, sql))
