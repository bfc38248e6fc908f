"""Published versions in a real PostgreSQL server: what arrives, what readers see meanwhile, kills, grants, secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import duckdb
import psycopg
import pytest

from orchestration.audiences import commands as audiences_command
from orchestration.publication import commands as publication_command
from orchestration.publication.candidate import write_candidate
from orchestration.publication.ddl import PublishedTable
from orchestration.publication.postgres import server as servers
from orchestration.publication.postgres.server import PostgresError, Server, only_writer, server_of
from orchestration.publication.postgres.shape import open_version, relations
from orchestration.publication.postgres.versions import publish_to_postgres
from orchestration.publication.publish import CheckCounts, publish
from orchestration.publication.questions import Question
from orchestration.settings import Settings
from orchestration.storage.versions import published_version
from tests.support import postgres_server, project
from tests.support.postgres_server import PASSWORD, PostgresServer, rows

pytestmark = pytest.mark.slow

NUMBERS = count(1)
MEMBERS = 500
# Who is forgotten; long enough to be looked for in every text.
GONE = "customer-to-be-forgotten-7531"
TABLES = {
    "a": PublishedTable("a", {"member_id": "varchar", "n": "bigint"}, ("member_id",), description="Members' numbers."),
    "b": PublishedTable("b", {"k": "integer", "n": "bigint"}, ("k",), descriptions={"n": "The same number."}),
    "quarantine": PublishedTable("quarantine", {"k": "integer", "raw": "varchar"}, ("k",)),
}
VIEWS = [
    Question("v_sums", "Sums.", {"n": "The number."}, "select n from b where k = 0 qualify row_number() over () = 1")
]


@pytest.fixture(scope="module")
def running() -> Iterator[PostgresServer]:
    with postgres_server.running() as found:
        yield found


@pytest.fixture
def server(running: PostgresServer) -> Server:
    """An empty database."""
    return Server(running.database(f"test_{next(NUMBERS)}"))


@dataclass
class Warehouse:
    """A warehouse folder whose versions hold nothing but their number `n`, in tables of two kinds."""

    settings: Settings

    def version(
        self, n: int, tables: dict[str, PublishedTable] | None = None, views: Sequence[Question] = VIEWS
    ) -> Path:
        """The folder of a new published version."""
        chosen = TABLES if tables is None else tables
        candidate = self.settings.candidate_dir / f"2026010{n}T000000Z-0000000{n}"
        with duckdb.connect() as con:
            members = f"select 'm' || i as member_id, {n}::bigint as n from range({MEMBERS}) as t(i)"
            con.execute(f"create table a as {members} union all select '{GONE}', {n}")
            con.execute(f"create table b as select i::integer as k, {n}::bigint as n from range({MEMBERS}) as t(i)")
            raw = json.dumps({"customer_id": GONE})
            con.execute(f"create table quarantine as select 1::integer as k, '{raw}' as raw")
            for name in chosen.keys() - TABLES.keys():
                con.execute(f"create table {name} as select 1::integer as k, {n}::bigint as n")
            written = write_candidate(con, candidate, chosen, {}, views)
        return publish(self.settings, candidate, date(2026, 1, n), written, CheckCounts(), keep_versions=9)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(Settings(None, tmp_path / "warehouse", None, "UTC", "duckdb"))


def shown(dsn: str) -> set[Any]:
    """The numbers that the views show: one, unless states are mixed."""
    sql = "select n from segments.a union select n from segments.b union select n from segments.v_sums"
    return {n for (n,) in rows(dsn, sql)}


def schemas(dsn: str) -> list[str]:
    return [name for (name,) in rows(dsn, "select nspname from pg_namespace where nspname like 'segments%' order by 1")]


# ---- what arrives ---------------------------------------------------------------------------------------------------

VALUES: dict[str, tuple[str, str, Any]] = {
    # column: (SQL of DuckDB, type in PostgreSQL, what a reader gets)
    "flag": ("true", "boolean", True),
    "tiny": ("(-128)::tinyint", "smallint", -128),
    "big": ("9223372036854775807::bigint", "bigint", 2**63 - 1),
    "unsigned": ("18446744073709551615::ubigint", "numeric(20,0)", Decimal(2**64 - 1)),
    "huge": ("170141183460469231731687303715884105727::hugeint", "numeric(39,0)", Decimal(2**127 - 1)),
    "money": ("(-12345678901234.5678)::decimal(18, 4)", "numeric(18,4)", Decimal("-12345678901234.5678")),
    "third": ("1::double / 3", "double precision", 1 / 3),
    "tiniest": ("5e-324::double", "double precision", 5e-324),
    "infinite": ("'-inf'::double", "double precision", float("-inf")),
    "day": ("date '2024-02-29'", "date", date(2024, 2, 29)),
    "hour": ("time '23:59:59.999999'", "time without time zone", time(23, 59, 59, 999999)),
    "moment": (
        "timestamp '2026-03-29 02:30:00.123456'",
        "timestamp without time zone",
        datetime(2026, 3, 29, 2, 30, 0, 123456),
    ),
    "while": ("interval '3 days 4 hours'", "interval", timedelta(days=3, hours=4)),
    "uuid": ("'6f1e4d1a-1111-4222-8333-444455556666'::uuid", "uuid", UUID("6f1e4d1a-1111-4222-8333-444455556666")),
    "bytes": (r"'\x00\xFFa'::blob", "bytea", b"\x00\xffa"),
    "json": ("""'{"a": [1, null], "b": "é"}'::json""", "json", {"a": [1, None], "b": "é"}),
    "record": ("{'x': 1, 'y': 'z'}", "json", {"x": 1, "y": "z"}),
    "texts": (
        """['a,b', null, 'NULL', '', '"q"', '\\', '{}']""",
        "text[]",
        ["a,b", None, "NULL", "", '"q"', "\\", "{}"],
    ),
    "numbers": ("[1.5::decimal(4, 2), null]", "numeric(4,2)[]", [Decimal("1.50"), None]),
    "ragged": ("[[1], [2, 3]]", "json", [[1], [2, 3]]),
    "kind": ("'b'::enum('a', 'b')", "text", "b"),
    "empty": ("''", "text", ""),
    "said": ("'a\"b,c\n\\N \\. é 🛒\r' || chr(0) || chr(9)", "text", 'a"b,c\n\\N \\. é 🛒\r\t'),
    "nothing": ("null::varchar", "text", None),
    "none": ("null::double", "double precision", None),
    "no_list": ("null::integer[]", "integer[]", None),
}


def test_every_type_arrives_as_its_own(server: Server, warehouse: Warehouse) -> None:
    columns = {name: "" for name in ["k", *VALUES]}
    table = PublishedTable("kinds", columns, ("k",))
    candidate = warehouse.settings.candidate_dir / "20260101T000000Z-00000001"
    with duckdb.connect() as con:
        selected = ", ".join(f'{sql} as "{name}"' for name, (sql, _, _) in VALUES.items())
        con.execute(f"create table kinds as select 1::integer as k, {selected}")
        written = write_candidate(con, candidate, {"kinds": table}, {})
    version = publish(warehouse.settings, candidate, date(2026, 1, 1), written, CheckCounts())
    publish_to_postgres(server, version)
    found = dict(zip(VALUES, rows(server.dsn, "select * from segments.kinds")[0][1:], strict=True))
    assert found == {name: value for name, (_, _, value) in VALUES.items()}
    types = rows(
        server.dsn,
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = 'segments.kinds'::regclass and attnum > 1",
    )
    assert dict(types) == {name: kind for name, (_, kind, _) in VALUES.items()}


def test_not_a_number_arrives(server: Server, warehouse: Warehouse) -> None:
    table = PublishedTable("kinds", {"k": "integer", "x": "double"}, ("k",))
    candidate = warehouse.settings.candidate_dir / "20260101T000000Z-00000001"
    with duckdb.connect() as con:
        con.execute("create table kinds as select * from (values (1, 'nan'::double), (2, 'inf'::double)) as t(k, x)")
        written = write_candidate(con, candidate, {"kinds": table}, {})
    publish_to_postgres(server, publish(warehouse.settings, candidate, date(2026, 1, 1), written, CheckCounts()))
    assert rows(server.dsn, "select k from segments.kinds where x = 'NaN' or x = 'Infinity' order by k") == [(1,), (2,)]


def test_rows_keys_and_words_are_those_of_the_version(server: Server, warehouse: Warehouse) -> None:
    version = warehouse.version(1)
    done = publish_to_postgres(server, version)
    assert done.tables == {"a": MEMBERS + 1, "b": MEMBERS, "quarantine": 1}
    assert (done.views, done.left_out, done.was) == (["v_sums"], {}, None)
    assert rows(server.dsn, "select count(*), count(distinct member_id) from segments.a") == [(MEMBERS + 1,) * 2]
    keys = rows(
        server.dsn,
        "select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint"
        " where contype = 'p' and connamespace = %s::regnamespace order by 1",
        done.schema,
    )
    assert keys == [
        (f"{done.schema}.a", "PRIMARY KEY (member_id)"),
        (f"{done.schema}.b", "PRIMARY KEY (k)"),
        (f"{done.schema}.quarantine", "PRIMARY KEY (k)"),
    ]
    for schema in (done.schema, "segments"):
        assert rows(server.dsn, f"select obj_description('{schema}.a'::regclass)") == [
            ("Members' numbers. Key: member_id.",)
        ]
        assert rows(server.dsn, f"select col_description('{schema}.b'::regclass, 2)") == [("The same number.",)]
        assert rows(server.dsn, f"select obj_description('{schema}.v_sums'::regclass)") == [("Sums.",)]
        assert rows(server.dsn, f"select col_description('{schema}.v_sums'::regclass, 1)") == [("The number.",)]
    with open_version(version) as con:
        assert [r.name for r in relations(con)] == ["a", "b", "quarantine", "v_sums"]


def test_a_key_that_is_there_twice_or_a_row_too_few_is_not_shown(server: Server, warehouse: Warehouse) -> None:
    publish_to_postgres(server, warehouse.version(1))
    version = warehouse.version(2)
    manifest = json.loads((version / "manifest.json").read_text())
    manifest["tables"]["b"]["rows"] += 1
    (version / "manifest.json").chmod(0o644)
    (version / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(PostgresError, match=f"table b: {MEMBERS} rows arrived, {MEMBERS + 1} were sent"):
        publish_to_postgres(server, version)
    # Of a table whose key no index holds, a file made elsewhere may hold a key twice.
    version = warehouse.version(3)
    database = version / "segments.duckdb"
    database.chmod(0o644)
    with duckdb.connect(str(database)) as con:
        con.execute("create or replace table a as select 'twice' as member_id, 3::bigint as n from range(501)")
        con.execute("comment on table a is 'Key: member_id.'")
    with pytest.raises(PostgresError, match="could not create unique index") as raised:
        publish_to_postgres(server, version)
    # Which member it is stays out of what is logged.
    assert "twice" not in str(raised.value)
    assert shown(server.dsn) == {1}
    assert len(schemas(server.dsn)) == 2


def test_foreign_keys_of_the_file_are_the_servers_too(server: Server, warehouse: Warehouse) -> None:
    version = warehouse.version(1)
    database = version / "segments.duckdb"
    database.chmod(0o644)
    with duckdb.connect(str(database)) as con:
        key = "foreign key (k) references b (k)"
        con.execute(f"create or replace table quarantine (k integer primary key, raw varchar, {key})")
        con.execute("insert into quarantine values (1, '')")
    done = publish_to_postgres(server, version)
    told = "select pg_get_constraintdef(oid) from pg_constraint where contype = 'f' and connamespace = %s::regnamespace"
    assert rows(server.dsn, told, done.schema) == [(f"FOREIGN KEY (k) REFERENCES {done.schema}.b(k)",)]
    for n in (2, 3):
        last = publish_to_postgres(server, warehouse.version(n))
    assert last.dropped == [done.schema]


def test_a_view_that_postgresql_does_not_take_is_left_out_and_named(server: Server, warehouse: Warehouse) -> None:
    odd = Question("v_odd", "Odd.", {"n": "Hash."}, "select hash(n) as n from b")
    done = publish_to_postgres(server, warehouse.version(1, views=[*VIEWS, odd]))
    assert done.views == ["v_sums"]
    assert "hash" in done.left_out["v_odd"]
    assert shown(server.dsn) == {1}


# ---- versions -------------------------------------------------------------------------------------------------------


def test_two_versions_are_kept_and_the_others_dropped(server: Server, warehouse: Warehouse) -> None:
    rows(server.dsn, "create schema segments_2026_of_somebody_else")
    done = [publish_to_postgres(server, warehouse.version(n)) for n in (1, 2, 3)]
    assert schemas(server.dsn) == [
        "segments",
        "segments_2026_of_somebody_else",
        *sorted(d.schema for d in done[1:]),
    ] or (schemas(server.dsn) == sorted(["segments", "segments_2026_of_somebody_else", *(d.schema for d in done[1:])]))
    assert done[2].dropped == [done[0].schema]
    assert [d.was for d in done] == [None, done[0].refresh_id, done[1].refresh_id]


def test_what_is_there_already_is_not_written_again(server: Server, warehouse: Warehouse) -> None:
    version = warehouse.version(1)
    first = publish_to_postgres(server, version)
    oid = rows(server.dsn, "select %s::regclass::oid", f"{first.schema}.a")
    again = publish_to_postgres(server, version)
    assert (again.is_new, again.rows) == (False, first.rows)
    assert rows(server.dsn, "select %s::regclass::oid", f"{first.schema}.a") == oid


def test_an_old_version_that_somebody_builds_on_stays_and_is_named(server: Server, warehouse: Warehouse) -> None:
    first = publish_to_postgres(server, warehouse.version(1))
    rows(server.dsn, f"create view public.mine as select n from {first.schema}.a")
    publish_to_postgres(server, warehouse.version(2))
    third = publish_to_postgres(server, warehouse.version(3))
    assert third.dropped == []
    assert "depend" in third.kept_back[first.schema]
    assert rows(server.dsn, "select distinct n from public.mine") == [(1,)]


def test_the_rollback_goes_back_there_too_also_to_a_version_that_was_dropped(
    server: Server, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in (1, 2, 3):
        publish_to_postgres(server, warehouse.version(n))
    monkeypatch.setenv("PUBLISH_POSTGRES_DSN", server.dsn)
    monkeypatch.setenv("WAREHOUSE_DIR", str(warehouse.settings.warehouse_dir))
    for expected in (2, 1):
        assert publication_command.main(["rollback"]) == 0
        assert shown(server.dsn) == {expected}
    monkeypatch.setenv("PUBLISH_POSTGRES_DSN", server.dsn.replace("test_", "no_such_"))
    warehouse.version(4)
    assert publication_command.main(["rollback"]) == 4
    assert publication_command.main(["postgres"]) == 1
    said = capsys.readouterr()
    assert "PostgreSQL keeps what it had" in said.err
    assert PASSWORD not in said.out + said.err


# ---- the views ------------------------------------------------------------------------------------------------------


def test_grants_stay_and_so_does_what_others_build_on_the_views(
    running: PostgresServer, server: Server, warehouse: Warehouse
) -> None:
    publish_to_postgres(server, warehouse.version(1))
    role = f"reader_{next(NUMBERS)}"
    rows(server.dsn, f"create role {role} login password 'read'")
    rows(server.dsn, f"grant usage on schema segments to {role}")
    rows(server.dsn, f"grant select on segments.a to {role} with grant option")
    rows(server.dsn, f"grant select (n) on segments.b to {role}")
    rows(server.dsn, "create view public.mine as select n, k from segments.b")
    info = psycopg.conninfo.conninfo_to_dict(server.dsn)
    reader = running.dsn(str(info["dbname"]), user=role, password="read")
    # A new column in the middle of a table: the view is replaced, with the column behind the others.
    wider = TABLES | {"b": PublishedTable("b", {"k": "integer", "label": "varchar", "n": "bigint"}, ("k",))}
    candidate = warehouse.settings.candidate_dir / "20260102T000000Z-00000002"
    with duckdb.connect() as con:
        con.execute("create table a as select 'm' as member_id, 2::bigint as n")
        con.execute("create table b as select 1::integer as k, 'l' as label, 2::bigint as n")
        con.execute("create table quarantine as select 1::integer as k, '' as raw")
        written = write_candidate(con, candidate, wider, {}, [])
    publish_to_postgres(server, publish(warehouse.settings, candidate, date(2026, 1, 2), written, CheckCounts()))
    assert rows(reader, "select n from segments.a") == [(2,)]
    assert rows(reader, "select n from segments.b") == [(2,)]
    assert rows(server.dsn, "select * from segments.b") == [(1, 2, "l")]
    assert rows(server.dsn, "select n from public.mine") == [(2,)]
    # A view that is published no more is gone.
    assert rows(server.dsn, "select to_regclass('segments.v_sums')") == [(None,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(reader, "select label from segments.b")
    # A column of another type: the view has to be made anew, and is given what it had.
    rows(server.dsn, "drop view public.mine")
    other = TABLES | {"a": PublishedTable("a", {"member_id": "varchar", "n": "double"}, ("member_id",))}
    publish_to_postgres(server, warehouse.version(3, other))
    assert rows(reader, "select distinct n from segments.a") == [(3.0,)]
    assert rows(reader, "select distinct n from segments.b") == [(3,)]
    assert rows(server.dsn, f"select has_table_privilege('{role}', 'segments.a', 'select with grant option')") == [
        (True,)
    ]


def test_a_table_of_somebody_else_in_the_schema_is_left_alone_and_named(server: Server, warehouse: Warehouse) -> None:
    rows(server.dsn, "create schema segments")
    rows(server.dsn, "create table segments.a as select 7 as n")
    with pytest.raises(PostgresError, match=r"segments\.a is no view; move it away"):
        publish_to_postgres(server, warehouse.version(1))
    assert rows(server.dsn, "select n from segments.a") == [(7,)]


READING = """
select
    (select array_agg(distinct n) from segments.a), (select count(*) from segments.a),
    (select array_agg(distinct n) from segments.b), (select count(*) from segments.b)
"""


def test_readers_meanwhile_see_the_old_or_the_new_version_and_no_error(server: Server, warehouse: Warehouse) -> None:
    versions = [warehouse.version(n) for n in range(1, 7)]
    publish_to_postgres(server, versions[0])
    done, time_to_think = threading.Event(), threading.Event()
    seen: list[list[int]] = [[] for _ in range(4)]
    wrong: list[str] = []

    def read(number: int) -> None:
        isolation = [None, psycopg.IsolationLevel.REPEATABLE_READ][number % 2]
        try:
            with psycopg.connect(server.dsn) as con:
                con.isolation_level = isolation
                while not done.is_set():
                    with con.transaction():
                        if number < 2:
                            found = con.execute(READING).fetchall()[0]  # type: ignore[arg-type]
                        else:
                            # Statement by statement, in the order opposite to that of the switch.
                            b = con.execute("select array_agg(distinct n), count(*) from segments.b").fetchall()[0]
                            a = con.execute("select array_agg(distinct n), count(*) from segments.a").fetchall()[0]
                            found = (*a, *b)
                    if not (
                        found[0] == found[2] and len(found[0]) == 1 and (found[1], found[3]) == (MEMBERS + 1, MEMBERS)
                    ):
                        wrong.append(f"reader {number}: {found}")
                    seen[number].append(found[0][0])
                    time_to_think.wait(0.003)
        except psycopg.Error as error:
            wrong.append(f"reader {number}: {error}")

    readers = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for reader in readers:
        reader.start()
    try:
        for version in versions[1:]:
            publish_to_postgres(server, version)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert wrong == []
    for found in seen:
        assert found == sorted(found)
        assert len(set(found)) > 2
    assert shown(server.dsn) == {6}


def test_who_reads_too_long_is_named_and_keeps_what_they_read(server: Server, warehouse: Warehouse) -> None:
    publish_to_postgres(server, warehouse.version(1))
    version = warehouse.version(2)
    with psycopg.connect(server.dsn, application_name="slow report") as con:
        con.execute("select count(*) from segments.a")
        with pytest.raises(PostgresError, match=r"reading the views of schema segments.*of slow report.*make postgres"):
            publish_to_postgres(server, version, switch_seconds=1)
        assert con.execute("select max(n) from segments.b").fetchall() == [(1,)]
    # The version lies there, written; the next attempt has only to switch.
    assert publish_to_postgres(server, version).is_new is False
    assert shown(server.dsn) == {2}


def test_one_writer_at_a_time(server: Server, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    version = warehouse.version(1)
    monkeypatch.setattr(only_writer.__wrapped__, "__defaults__", (1.0,))  # type: ignore[attr-defined]
    with servers.connected(server) as con, only_writer(con, server):
        with pytest.raises(PostgresError, match="another publication into schema segments"):
            publish_to_postgres(server, version)
        # Another schema of the same database is another place.
        other = Server(server.dsn, "shop")
        assert publish_to_postgres(other, version).place.startswith("schema shop of database test_")
    publish_to_postgres(server, version)
    assert shown(server.dsn) == {1}


def test_a_role_that_may_make_schemas_is_enough_whatever_its_settings(
    running: PostgresServer, server: Server, warehouse: Warehouse
) -> None:
    database = str(psycopg.conninfo.conninfo_to_dict(server.dsn)["dbname"])
    role = f"publisher_{next(NUMBERS)}"
    rows(server.dsn, f"create role {role} login password 'p'")
    rows(server.dsn, f"grant create, connect on database {database} to {role}")
    isolation = "default_transaction_isolation = serializable"
    for setting in ("statement_timeout = 5000", isolation, "datestyle = 'SQL, DMY'"):
        rows(server.dsn, f"alter role {role} set {setting}")
    own = Server(running.dsn(database, role, "p"))
    with servers.connected(own) as con:
        assert servers.rows(con, "show statement_timeout") == [("0",)]
        assert servers.rows(con, "show transaction_isolation") == [("read committed",)]
    for n in (1, 2, 3):
        assert publish_to_postgres(own, warehouse.version(n)).kept_back == {}
    assert shown(server.dsn) == {3}
    assert rows(server.dsn, "select nspowner::regrole::text from pg_namespace where nspname = 'segments'") == [(role,)]


def test_a_role_that_may_not_is_told_what_it_lacks(
    running: PostgresServer, server: Server, warehouse: Warehouse
) -> None:
    database = str(psycopg.conninfo.conninfo_to_dict(server.dsn)["dbname"])
    role = f"guest_{next(NUMBERS)}"
    rows(server.dsn, f"create role {role} login password 'p'")
    with pytest.raises(PostgresError, match=f"permission denied for database {database}"):
        publish_to_postgres(Server(running.dsn(database, role, "p")), warehouse.version(1))


# ---- kills ----------------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from orchestration.publication.postgres import versions
from orchestration.publication.postgres.server import server_of

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

moment = sys.argv[2]
if moment == "copy":
    batches = versions.csv_batches
    def torn(*given):
        for batch in batches(*given):
            yield batch[: len(batch) // 2]
            die()
    versions.csv_batches = torn
elif moment == "views":
    versions._write_view = die
elif moment == "before the switch":
    versions._switch = die
elif moment == "in the switch":
    point = versions._point_views
    def half(*given):
        point(*given)
        die()
    versions._point_views = half
elif moment == "after the switch":
    versions._prune = die
versions.publish_to_postgres(server_of(), Path(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("moment", "then"),
    [("copy", 1), ("views", 1), ("before the switch", 1), ("in the switch", 1), ("after the switch", 2)],
)
def test_a_kill_leaves_one_whole_version_and_no_obstacle(
    server: Server, warehouse: Warehouse, moment: str, then: int
) -> None:
    publish_to_postgres(server, warehouse.version(1))
    version = warehouse.version(2)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(version), moment],
        cwd=project.ROOT,
        env=os.environ | {"PUBLISH_POSTGRES_DSN": server.dsn},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == -9, done.stderr
    assert shown(server.dsn) == {then}
    publish_to_postgres(server, version)
    assert shown(server.dsn) == {2}
    last = publish_to_postgres(server, warehouse.version(3))
    assert shown(server.dsn) == {3}
    # Nothing of the torn attempt is left behind.
    assert len(schemas(server.dsn)) == 3 and last.kept_back == {}


# ---- secrets --------------------------------------------------------------------------------------------------------


def test_no_error_holds_the_password(running: PostgresServer, warehouse: Warehouse, tmp_path: Path) -> None:
    version = warehouse.version(1)
    secret = "s3cret-9876/@%ü"
    for dsn, said in {
        running.dsn("postgres", password=secret): "password authentication failed",
        f"postgresql://admin:{quote(secret, safe='')}@127.0.0.1:{running.port}/x": "authentication failed",
        f"postgresql://admin:{secret}@127.0.0.1:{running.port}/postgres": "connection string|connecting",
        f"postgresql://admin:{secret}@127.0.0.1:none/postgres": "connection string|connecting",
        f"postgresql://admin:s3cret-9876/x@127.0.0.1:{running.port}/postgres": "connecting",
        f"postgresql://admin:1/s3cret-9876@127.0.0.1:{running.port}/postgres": "connecting",
        f"host=127.0.0.1 password={secret} nonsense": "cannot be read as a connection string",
        secret: "cannot be read as a connection string",
        f"host=127.0.0.1 port=1 user=x dbname=x password={secret}": "refused",
        f"host=no-such-host.invalid user=x dbname=x password={secret}": "connecting",
    }.items():  # fmt: skip
        with pytest.raises(PostgresError, match=said) as raised:
            publish_to_postgres(Server(dsn), version)
        for hidden in ("s3cret", "9876", quote(secret)):
            assert hidden not in f"{raised.value} {raised.value!r} {Server(dsn)!r}"
        assert raised.value.__cause__ is None
        assert raised.value.__context__ is None or raised.value.__suppress_context__


@pytest.mark.parametrize("name", ["Segments", "a b", "segments;drop", "pg_mine", "s" * 26, "1a"])
def test_a_schema_that_is_no_plain_name_is_refused(name: str) -> None:
    with pytest.raises(PostgresError, match="PUBLISH_POSTGRES_SCHEMA"):
        server_of({"PUBLISH_POSTGRES_DSN": "x", "PUBLISH_POSTGRES_SCHEMA": name})


def test_without_the_variable_there_is_no_server() -> None:
    assert server_of({}) is None
    assert server_of({"PUBLISH_POSTGRES_DSN": " "}) is None


# ---- forgetting -----------------------------------------------------------------------------------------------------


def test_who_is_forgotten_is_in_no_version_there(
    server: Server, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in (1, 2):
        publish_to_postgres(server, warehouse.version(n))
    monkeypatch.setenv("WAREHOUSE_DIR", str(warehouse.settings.warehouse_dir))
    monkeypatch.setenv("PUBLISH_POSTGRES_DSN", server.dsn.replace("test_", "no_such_"))
    # As long as the server cannot be asked, nobody is told that all is done.
    assert audiences_command.main(["forget", "--id", GONE]) == 1
    assert "STILL FOUND in PostgreSQL, perhaps" in capsys.readouterr().out
    monkeypatch.setenv("PUBLISH_POSTGRES_DSN", server.dsn)
    assert audiences_command.main(["forget", "--id", GONE]) == 0
    assert "removed from PostgreSQL: 4" in capsys.readouterr().out
    assert shown(server.dsn) == {2}
    assert rows(server.dsn, "select count(*) from segments.a") == [(MEMBERS,)]
    assert rows(server.dsn, "select count(*) from segments.quarantine") == [(0,)]
    (left,) = [name for name in schemas(server.dsn) if name != "segments"]
    assert rows(server.dsn, f"select count(*) from {left}.a where member_id = %s", GONE) == [(0,)]
    # Once more: nothing is there to do, and nothing is written again.
    assert audiences_command.main(["forget", "--id", GONE]) == 0
    assert schemas(server.dsn) == ["segments", left]
    # A short id is looked for where members are named, and nowhere else.
    assert audiences_command.main(["forget", "--id", "m7"]) == 0
    assert rows(server.dsn, "select count(*) from segments.a") == [(MEMBERS - 1,)]
    assert published_version(warehouse.settings) is not None
