"""Tables of a PostgreSQL database as a target: the schema `<schema>_audiences` of PUBLISH_POSTGRES_DSN.

    send_<channel>   the whole list
    changes          what changed with each hand-over
    hand_overs       which there were: the one handed over last is what the lists are
    receipts         what the sender inserts for us

All of a hand-over is one transaction: a sender sees it whole. The tables stay, and so do grants on them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, LiteralString, cast

import pyarrow as pa
import pyarrow.csv

from orchestration.audiences.export import file_stem
from orchestration.audiences.handover.lists import CHANGES_SCHEMA, SCHEMA
from orchestration.audiences.handover.target import AUDIENCE_TARGET, POSTGRES, HandOver, Target, TargetError
from orchestration.publication.postgres.server import (
    PUBLISH_POSTGRES_DSN,
    PostgresError,
    Server,
    connected,
    in_words,
    only_writer,
    rows,
    run,
    server_of,
)
from orchestration.storage.sql import literal, quoted

if TYPE_CHECKING:
    import psycopg

_TYPES = {pa.string(): "text", pa.int64(): "bigint", pa.date32(): "date"}
_LIST_PREFIX = "send_"


class PostgresTarget(Target):
    """The schema of a server in which senders find their lists."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._schema = quoted(f"{server.schema}_audiences")

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> PostgresTarget:
        """The one of PUBLISH_POSTGRES_DSN.

        Raises:
            TargetError: the variable is not set, or its schema cannot be used.
        """
        try:
            server = server_of(environ)
        except PostgresError as error:
            raise TargetError(str(error)) from None
        if server is None:
            raise TargetError(f"{AUDIENCE_TARGET}={POSTGRES} needs {PUBLISH_POSTGRES_DSN}, which is not set")
        return cls(server)

    @property
    def name(self) -> str:
        """`postgres` and the schema: not the server, which may be reached by another name tomorrow."""
        return f"{POSTGRES}:{self._server.schema}_audiences"

    def write(self, hand_over: HandOver) -> None:
        """See Target."""
        with _writing(self._server) as con, con.transaction():
            self._prepare(con, hand_over)
            last = f"select hand_over from {self._schema}.hand_overs order by handed_over_at desc limit 1"
            if rows(con, last) == [(hand_over.id,)]:
                return
            # After a rollback an earlier one comes again, with other changes: those since the one that was taken back.
            for table in ("hand_overs", "changes"):
                con.execute(
                    cast(LiteralString, f"delete from {self._schema}.{table} where hand_over = %s"), [hand_over.id]
                )
            for (table,) in rows(
                con,
                "select relname from pg_class where relkind = 'r' and starts_with(relname, %s)"
                " and relnamespace = to_regnamespace(%s)",
                _LIST_PREFIX,
                self._schema,
            ):
                run(con, f"delete from {self._schema}.{quoted(table)}")
            for channel, listed in hand_over.lists.items():
                self._copy(con, _LIST_PREFIX + file_stem(channel), listed)
            for channel, changes in hand_over.changes.items():
                extra = {"hand_over": hand_over.id, "channel": channel}
                self._copy(con, "changes", _with(changes, extra))
            sent = sum(table.num_rows for table in hand_over.lists.values())
            con.execute(
                cast(
                    LiteralString,
                    f"insert into {self._schema}.hand_overs (hand_over, as_of, since, sent) values (%s, %s, %s, %s)",
                ),
                [hand_over.id, hand_over.as_of, hand_over.since, sent],
            )

    def receipts(self) -> Iterator[tuple[str, pa.Table]]:
        """The rows of the table receipts."""
        from orchestration.audiences.handover.receipts import COLUMNS

        with _writing(self._server) as con:
            if not rows(con, "select to_regclass(%s)", f"{self._schema}.receipts")[0][0]:
                return
            columns = ", ".join(f"{name}::text" if name != "sent_at" else _UTC for name in COLUMNS)
            found = rows(con, f"select {columns} from {self._schema}.receipts order by touchpoint_id, sent_at")
        yield (
            "receipts",
            pa.table({name: pa.array([row[i] for row in found], pa.string()) for i, name in enumerate(COLUMNS)}),
        )

    def forget(self, person_id: str) -> bool:
        """Rows about the person are deleted, and cleared from the files of the tables."""
        with _writing(self._server) as con:
            for (table,) in rows(
                con,
                "select c.relname from pg_class as c inner join pg_attribute as a on a.attrelid = c.oid"
                " where c.relkind = 'r' and a.attname = 'member_id' and c.relnamespace = to_regnamespace(%s)",
                self._schema,
            ):
                target = f"{self._schema}.{quoted(table)}"
                about = f"member_id = {literal(person_id)} or company_id = {literal(person_id)}"
                run(con, f"delete from {target} where {about}")
                run(con, f"vacuum {target}")
        return True

    def _prepare(self, con: psycopg.Connection[Any], hand_over: HandOver) -> None:
        """Schema and tables, with the columns of this release."""
        run(con, f"create schema if not exists {self._schema}")
        lists = {_LIST_PREFIX + file_stem(channel): SCHEMA for channel in hand_over.lists}
        for table, schema in {**lists, "changes": CHANGES_SCHEMA}.items():
            target = f"{self._schema}.{quoted(table)}"
            columns = [f"{quoted(f.name)} {_TYPES[f.type]}" for f in schema]
            columns[:0] = ["hand_over text", "channel text"] if table == "changes" else []
            columns += [] if table == "changes" else ["primary key (touchpoint_id)"]
            run(con, f"create table if not exists {target} ({', '.join(columns)})")
            found = "select attname from pg_attribute where attrelid = to_regclass(%s) and not attisdropped"
            there = {name for (name,) in rows(con, found, target)}
            # A table that an earlier release made lacks the newest columns.
            for new in (f for f in schema if f.name not in there):
                run(con, f"alter table {target} add column {quoted(new.name)} {_TYPES[new.type]}")
        run(con, f"create index if not exists changes_of_a_hand_over on {self._schema}.changes (hand_over)")
        run(
            con,
            f"create table if not exists {self._schema}.hand_overs (hand_over text primary key, as_of date, since text,"
            " sent bigint, handed_over_at timestamptz default now())",
        )
        run(
            con,
            f"create table if not exists {self._schema}.receipts (touchpoint_id text not null,"
            " sent_at timestamptz not null, status text default 'sent', message_id text, campaign_id text,"
            " campaign_type text, cost numeric, amount numeric)",
        )

    def _copy(self, con: psycopg.Connection[Any], table: str, given: pa.Table) -> None:
        out = io.BytesIO()
        options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
        pyarrow.csv.write_csv(given, out, options)
        columns = ", ".join(quoted(name) for name in given.column_names)
        copy = f"copy {self._schema}.{quoted(table)} ({columns}) from stdin (format csv)"
        with con.cursor() as cursor, cursor.copy(cast(LiteralString, copy)) as stream:
            stream.write(out.getvalue())


_UTC = """to_char(sent_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


@contextmanager
def _writing(server: Server) -> Iterator[psycopg.Connection[Any]]:
    """A connection that nobody else writes beside; its errors as TargetError."""
    try:
        with (
            connected(server) as con,
            only_writer(con, server),
            in_words(server, f"schema {server.schema}_audiences"),
        ):
            yield con
    except PostgresError as error:
        raise TargetError(f"PostgreSQL, {error}") from None


def _with(table: pa.Table, constants: Mapping[str, str]) -> pa.Table:
    for name, constant in constants.items():
        table = table.append_column(name, pa.array([constant] * table.num_rows, pa.string()))
    return table
