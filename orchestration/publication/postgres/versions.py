"""Versions in PostgreSQL: each in a schema of its own, one of them shown by the views of the stable schema.

Belongs here: writing a version, checking it there, switching the views, dropping old versions.
Does not belong here: types and SQL (shape.py), the connection (server.py).

The order makes every moment safe, as in publish.py. A version is written, keyed, counted and checked in one
transaction: whatever stops it leaves nothing. Then one more transaction switches the views: readers see the old version
or the new one, and a reader who has begun keeps what they see. A schema is named by refresh and contents, so that doing
it again finds what is done already.

The switch has to lock the views, and would make new readers wait behind one who reads for an hour. So it looks for
a moment in which nobody reads, waits for readers a fifth of a second at most, long before PostgreSQL looks for
deadlocks, and tries again.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString, cast

from orchestration.publication.postgres.server import (
    PostgresError,
    Server,
    connected,
    in_words,
    only_writer,
    place_of,
    rows,
    run,
    scrubbed,
    value,
    words_of,
)
from orchestration.publication.postgres.shape import (
    Relation,
    ShapeError,
    comments,
    create_table,
    csv_batches,
    open_version,
    relations,
    translated,
)
from orchestration.storage.sql import literal, quoted
from orchestration.storage.versions import read_manifest

if TYPE_CHECKING:
    import duckdb
    import psycopg

# The version shown and the one before it: a reader's long query ends, and a rollback is a matter of a second. Each
# costs a copy of the tables.
KEPT = 2
# How the comment of a schema that we have made begins; no other schema is ever dropped.
MARK = "segments-in-use version "
STABLE_MARK = "segments-in-use shows "
# Below PostgreSQL's deadlock_timeout (1 s): a reader that we would block is never the one who is told to give up.
LOCK_TIMEOUT_MS = 200
# How long the switch is tried again while somebody reads: reports that take longer than ten minutes read a copy.
SWITCH_SECONDS = 600.0
# The pause between two attempts: short at first, for readers who come and go, then longer, for one who stays.
FIRST_PAUSE, SWITCH_PAUSE = 0.01, 0.5
# Of so many attempts one waits for readers to end, and makes new ones wait; the others find a moment without readers.
WAITS_EACH = 5


@dataclass(frozen=True)
class Version:
    """A version's schema, as its comment says it; `content` is a digest of the tables in it."""

    schema: str
    refresh_id: str
    as_of: str
    content: str


@dataclass
class Published:
    """What publishing did. `left_out`: views and keys that PostgreSQL has not, with the reason; `kept_back`: old
    versions that could not be dropped."""

    schema: str
    refresh_id: str
    place: str
    was: str | None = None
    is_new: bool = True
    tables: dict[str, int] = field(default_factory=dict)
    views: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    kept_back: dict[str, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(self.tables.values())


def content_digest(manifest: Mapping[str, Any]) -> str:
    """A digest of what a version's tables hold, from its manifest."""
    told = json.dumps({name: entry["sha256"] for name, entry in manifest["tables"].items()}, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:8]


def schema_name(stable: str, refresh_id: str, content: str) -> str:
    """The schema of a version: `segments_20261101t050000z_1a2b3c4d_9f8e7d6c`."""
    name = re.sub(r"[^a-z0-9]+", "_", refresh_id.lower()).strip("_")
    return f"{stable}_{name[:28]}_{content}"


def publish_to_postgres(
    server: Server,
    version: Path,
    keep: int = KEPT,
    say: Callable[[str], None] = lambda text: None,
    switch_seconds: float = SWITCH_SECONDS,
) -> Published:
    """Make a version what the views of the stable schema show; what is done already is not done again.

    Args:
        version: the folder of a published version.
        keep: versions that stay there, this one included.
        say: told how far it is.
        switch_seconds: how long the switch is tried again while readers hold the views.

    Raises:
        PostgresError: it was not switched; what was shown before still is.
    """
    manifest = read_manifest(version)
    refresh_id, content = str(manifest["refresh_id"]), content_digest(manifest)
    schema = schema_name(server.schema, refresh_id, content)
    with connected(server) as con, only_writer(con, server), open_version(version) as file:
        published = Published(schema, refresh_id, place_of(con, server), was=shown_refresh(con, server.schema))
        try:
            with in_words(server, f"PostgreSQL, schema {schema}"):
                shapes = relations(file)
                published.is_new = schema not in {v.schema for v in versions_there(con, server.schema)}
                if published.is_new:
                    _write(con, server, file, shapes, published, manifest, content, say)
                else:
                    published.tables = {s.name: int(manifest["tables"][s.name]["rows"]) for s in shapes if s.key}
                there = {name for (name,) in rows(con, _RELATIONS, schema)}
                shapes = [s for s in shapes if s.name in there]
                published.views = [s.name for s in shapes if s.select]
            with in_words(server, f"PostgreSQL, views of schema {server.schema}"):
                _switch(con, server, shapes, published, manifest, switch_seconds)
            with in_words(server, "PostgreSQL, old versions"):
                _prune(con, server, published, keep)
        except ShapeError as error:
            raise PostgresError(f"PostgreSQL: {error}") from None
    return published


def warnings(done: Published) -> list[str]:
    """What is not as it should be there, though it was published, in words."""
    said = [
        f"{name} is not in PostgreSQL: {why}; the tables that it is made of are, so ask them, or read the DuckDB file"
        for name, why in done.left_out.items()
    ]
    return said + [
        f"the old version {schema} stays in PostgreSQL: {why}; drop schema {schema} cascade, where nobody needs it"
        for schema, why in done.kept_back.items()
    ]


def shown_refresh(con: psycopg.Connection[Any], stable: str) -> str | None:
    """The refresh that the stable schema's views show, as its comment says."""
    comment = value(con, "select obj_description(to_regnamespace(%s), 'pg_namespace')", quoted(stable)) or ""
    return comment.removeprefix(STABLE_MARK).split(",")[0] if comment.startswith(STABLE_MARK) else None


def versions_there(con: psycopg.Connection[Any], stable: str) -> list[Version]:
    """The versions that are there, in the order in which they were refreshed."""
    found = []
    for schema, comment in rows(
        con,
        "select nspname, obj_description(oid, 'pg_namespace') from pg_namespace"
        " where starts_with(nspname, %s) and obj_description(oid, 'pg_namespace') like %s",
        f"{stable}_",
        f"{MARK}%",
    ):
        said = json.loads(comment.removeprefix(MARK))
        if said["of"] == stable:
            found.append(Version(schema, said["refresh_id"], said["as_of"], said["content"]))
    return sorted(found, key=lambda version: (version.refresh_id, version.schema))


# ---- writing --------------------------------------------------------------------------------------------------------


_RELATIONS = "select relname from pg_class where relnamespace = to_regnamespace(%s) and relkind in ('r', 'v')"


def _write(
    con: psycopg.Connection[Any],
    server: Server,
    file: duckdb.DuckDBPyConnection,
    shapes: Sequence[Relation],
    published: Published,
    manifest: Mapping[str, Any],
    content: str,
    say: Callable[[str], None],
) -> None:
    """The version's tables and views, in one transaction."""
    schema = published.schema
    said = {
        "refresh_id": published.refresh_id,
        "as_of": manifest["as_of"],
        "of": server.schema,
        "content": content,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    tables = [s for s in shapes if s.key]
    with con.transaction():
        run(con, f"create schema {quoted(schema)}")
        run(con, f"comment on schema {quoted(schema)} is {literal(MARK + json.dumps(said))}")
        for number, table in enumerate(tables, start=1):
            say(f"{number} of {len(tables)} tables, {published.rows:,} rows")
            published.tables[table.name] = _write_table(con, server, file, table, published)
            expected = manifest["tables"].get(table.name, {}).get("rows")
            if published.tables[table.name] != expected:
                raise PostgresError(
                    f"PostgreSQL, table {table.name}: {published.tables[table.name]} rows arrived, {expected} were sent"
                )
        for table in tables:
            _refer(con, server, table, published)
        for view in (s for s in shapes if s.select):
            _write_view(con, server, view, published)


def _write_table(
    con: psycopg.Connection[Any],
    server: Server,
    file: duckdb.DuckDBPyConnection,
    table: Relation,
    published: Published,
) -> int:
    """A table with its rows, key and comments; how many rows there are."""
    target = f"{quoted(published.schema)}.{quoted(table.name)}"
    with in_words(server, f"PostgreSQL, table {table.name}"):
        run(con, create_table(table, published.schema))
        names = ", ".join(quoted(c.name) for c in table.columns)
        # Frozen: visible to a transaction that began before, and needing no vacuum.
        copy = f"copy {target} ({names}) from stdin (format csv, freeze true)"
        with con.cursor() as cursor, cursor.copy(cast(LiteralString, copy)) as stream:
            for batch in csv_batches(file, table):
                stream.write(batch)
        _key(con, server, table, target, published)
        run(con, ";\n".join([*comments(table, published.schema), f"analyze {target}"]))
        return int(value(con, f"select count(*) from {target}"))


def _key(con: psycopg.Connection[Any], server: Server, table: Relation, target: str, published: Published) -> None:
    import psycopg

    key = ", ".join(quoted(c) for c in table.key)
    try:
        with con.transaction():
            run(con, f"alter table {target} add primary key ({key})")
    except psycopg.errors.ProgramLimitExceeded as error:
        # A text of thousands of letters fits into no index: the key is checked, and not kept by the server.
        published.left_out[f"key of {table.name}"] = scrubbed(words_of(error), server.dsn)
        twice = value(con, f"select count(*) from (select 1 from {target} group by {key} having count(*) > 1) as t")
        if twice:
            raise PostgresError(
                f"PostgreSQL, table {table.name}: {twice} keys ({key}) are there more than once"
            ) from None


def _refer(con: psycopg.Connection[Any], server: Server, table: Relation, published: Published) -> None:
    """The foreign keys of a table, which the server checks; one that cannot be is left out, with the reason."""
    import psycopg

    schema = quoted(published.schema)
    for own, other, others in table.references:
        key, referred = (", ".join(quoted(c) for c in names) for names in (own, others))
        constraint = f"foreign key ({key}) references {schema}.{quoted(other)} ({referred})"
        try:
            with con.transaction():
                run(con, f"alter table {schema}.{quoted(table.name)} add {constraint}")
        except psycopg.errors.InvalidForeignKey as error:
            # The other table's key could not be made an index.
            published.left_out[f"foreign key of {table.name} to {other}"] = scrubbed(words_of(error), server.dsn)


def _write_view(con: psycopg.Connection[Any], server: Server, view: Relation, published: Published) -> None:
    """A view over the version's tables, unless PostgreSQL does not take it: then it is left out, with the reason."""
    import psycopg

    target = f"{quoted(published.schema)}.{quoted(view.name)}"
    names = ", ".join(quoted(c.name) for c in view.columns)
    try:
        with con.transaction():
            run(con, f"create view {target} ({names}) as {translated(view, published.schema)}")
            # Whether it can be computed, too.
            run(con, f"select * from {target} limit 1")
            for comment in comments(view, published.schema):
                run(con, comment)
    except (psycopg.Error, ShapeError) as error:
        said = words_of(error) if isinstance(error, psycopg.Error) else str(error)
        published.left_out[view.name] = scrubbed(said, server.dsn)


# ---- switching ------------------------------------------------------------------------------------------------------

_VIEW_COLUMNS = """
select c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod)
from pg_class as c
left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = to_regnamespace(%s) and c.relkind not in ('i', 't', 'c')
order by c.relname, a.attnum
"""
# Views of the stable schema that show a relation of the same name in one of our versions.
_OUR_VIEWS = """
select distinct v.relname
from pg_class as v
inner join pg_rewrite as r on r.ev_class = v.oid
inner join pg_depend as d
    on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
inner join pg_class as t on t.oid = d.refobjid and t.relname = v.relname and t.oid <> v.oid
inner join pg_namespace as n on n.oid = t.relnamespace
where v.relnamespace = to_regnamespace(%s) and v.relkind = 'v' and n.nspname = any(%s)
"""
_GRANTS = """
select null::text, x.privilege_type, x.is_grantable, case when x.grantee = 0 then null else x.grantee::regrole::text end
from pg_class as c, aclexplode(c.relacl) as x
where c.oid = to_regclass(%s) and x.grantee <> c.relowner
union all
select a.attname, x.privilege_type, x.is_grantable, case when x.grantee = 0 then null else x.grantee::regrole::text end
from pg_class as c
inner join pg_attribute as a on a.attrelid = c.oid and not a.attisdropped, aclexplode(a.attacl) as x
where c.oid = to_regclass(%s)
"""


def _switch(
    con: psycopg.Connection[Any],
    server: Server,
    shapes: Sequence[Relation],
    published: Published,
    manifest: Mapping[str, Any],
    seconds: float,
) -> None:
    """Point the views at the version in one transaction; where readers are in the way, again for `seconds`."""
    import psycopg

    run(con, f"create schema if not exists {quoted(server.schema)}")
    until = time.monotonic() + seconds
    pause = FIRST_PAUSE
    for attempt in count():
        try:
            with con.transaction():
                run(con, f"set local lock_timeout = {LOCK_TIMEOUT_MS}")
                _lock_views(con, server, shapes, waits=attempt % WAITS_EACH == WAITS_EACH - 1)
                _point_views(con, server, shapes, published, manifest)
            return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if time.monotonic() >= until:
                raise PostgresError(
                    f"PostgreSQL: somebody has been reading the views of schema {server.schema} for more than "
                    f"{seconds:.0f} s{_readers(con, server)}; when they are done, make postgres switches"
                ) from None
            # By chance, so as not to keep step with a reader.
            time.sleep(pause * (0.5 + random.random()))
            pause = min(2 * pause, SWITCH_PAUSE)


def _lock_views(con: psycopg.Connection[Any], server: Server, shapes: Sequence[Relation], waits: bool) -> None:
    """Lock the views that are there, all in one statement; where one is being read, fail at once, or wait a little."""
    found = rows(
        con,
        "select relname from pg_class where relkind = 'v' and relnamespace = to_regnamespace(%s) and relname = any(%s)",
        quoted(server.schema),
        [shape.name for shape in shapes],
    )
    if found:
        names = ", ".join(f"{quoted(server.schema)}.{quoted(name)}" for (name,) in found)
        run(con, f"lock table {names} in access exclusive mode{'' if waits else ' nowait'}")


def _readers(con: psycopg.Connection[Any], server: Server) -> str:
    """Who holds the views, as an administrator finds them."""
    found = rows(
        con,
        "select distinct a.pid, a.application_name from pg_locks as l"
        " inner join pg_class as c on c.oid = l.relation inner join pg_stat_activity as a on a.pid = l.pid"
        " where c.relnamespace = to_regnamespace(%s) and l.granted and l.pid <> pg_backend_pid() order by 1 limit 3",
        quoted(server.schema),
    )
    who = ", ".join(f"process {pid}{f' of {name}' if name else ''}" for pid, name in found)
    return f" ({who})" if who else ""


def _point_views(
    con: psycopg.Connection[Any],
    server: Server,
    shapes: Sequence[Relation],
    published: Published,
    manifest: Mapping[str, Any],
) -> None:
    there: dict[str, dict[str, str]] = {}
    for name, kind, column, column_type in rows(con, _VIEW_COLUMNS, quoted(server.schema)):
        if kind != "v" and name in {s.name for s in shapes}:
            raise PostgresError(
                f"PostgreSQL: {server.schema}.{name} is no view; move it away, or set PUBLISH_POSTGRES_SCHEMA to "
                "another schema"
            )
        if column:
            there.setdefault(name, {})[column] = column_type
    comments_there = _comments_there(con, server.schema)
    types = _types_there(con, published.schema)
    for shape in shapes:
        view = f"{quoted(server.schema)}.{quoted(shape.name)}"
        before, now = there.get(shape.name), types[shape.name]
        fits = before is not None and all(now.get(name) == kind for name, kind in before.items())
        # In their old order, the new ones behind them: so the view is replaced, and what depends on it stays.
        order = [*before, *(c for c in now if c not in before)] if fits and before else list(now)
        columns = ", ".join(quoted(c) for c in order)
        grants = []
        if before is not None and not fits:
            grants = rows(con, _GRANTS, view, view)
            run(con, f"drop view {view}")
        run(
            con,
            f"create or replace view {view} as select {columns} from {quoted(published.schema)}.{quoted(shape.name)}",
        )
        statements = [_grant(view, *grant) for grant in grants if grant[0] is None or grant[0] in now]
        kept = {} if before is not None and not fits else comments_there.get(shape.name, {})
        said: list[tuple[str, str, str | None]] = [("", f"view {view}", shape.comment)]
        said += [(c.name, f"column {view}.{quoted(c.name)}", c.comment) for c in shape.columns]
        statements += [
            f"comment on {target} is {literal(words) if words else 'null'}"
            for name, target, words in said
            if kept.get(name) != (words or None)
        ]
        if statements:
            run(con, ";\n".join(statements))
    names = [v.schema for v in versions_there(con, server.schema)]
    for (name,) in rows(con, _OUR_VIEWS, quoted(server.schema), names):
        if name not in types:
            run(con, f"drop view {quoted(server.schema)}.{quoted(name)}")
    shown = f"{STABLE_MARK}{published.refresh_id}, as of {manifest['as_of']}, from schema {published.schema}"
    run(con, f"comment on schema {quoted(server.schema)} is {literal(shown)}")


def _grant(view: str, column: str | None, privilege: str, is_grantable: bool, role: str | None) -> str:
    """A `grant` of what somebody had; `role` is quoted already, None is everybody."""
    what = f"{privilege} ({quoted(column)})" if column else privilege
    return f"grant {what} on {view} to {role or 'public'}{' with grant option' if is_grantable else ''}"


def _comments_there(con: psycopg.Connection[Any], schema: str) -> dict[str, dict[str, str]]:
    """Comments of a schema's relations: relation -> column ('' for itself) -> words."""
    found: dict[str, dict[str, str]] = {}
    for relation, column, words in rows(
        con,
        "select c.relname, coalesce(a.attname, ''), d.description from pg_class as c"
        " inner join pg_description as d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass"
        " left join pg_attribute as a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0"
        " where c.relnamespace = to_regnamespace(%s)",
        quoted(schema),
    ):
        found.setdefault(relation, {})[column] = words
    return found


def _types_there(con: psycopg.Connection[Any], schema: str) -> dict[str, dict[str, str]]:
    """Columns of a schema's tables and views with their types, in their order."""
    found: dict[str, dict[str, str]] = {}
    for name, _, column, kind in rows(con, _VIEW_COLUMNS, quoted(schema)):
        found.setdefault(name, {})[column] = kind
    return found


# ---- old versions ---------------------------------------------------------------------------------------------------


def _prune(con: psycopg.Connection[Any], server: Server, published: Published, keep: int) -> None:
    """Drop the oldest versions beyond `keep`; one that somebody still reads or builds on stays, and is named."""
    old = [v for v in versions_there(con, server.schema) if v.schema != published.schema]
    # The one that was shown until now is read most likely; then the latest.
    old.sort(key=lambda v: (v.refresh_id == published.was, v.refresh_id), reverse=True)
    for version in old[max(0, keep - 1) :]:
        why = drop_version(con, server, version.schema)
        if why is None:
            published.dropped.append(version.schema)
        else:
            published.kept_back[version.schema] = why


def drop_version(con: psycopg.Connection[Any], server: Server, schema: str) -> str | None:
    """Drop a version's schema, but nothing of others that depends on it.

    Returns:
        None, or why it is still there.
    """
    import psycopg

    relations_there = _drop_order(con, schema)
    try:
        with con.transaction():
            run(con, f"set local lock_timeout = {LOCK_TIMEOUT_MS}")
            for kind, names in relations_there:
                run(con, f"drop {kind} {', '.join(f'{quoted(schema)}.{quoted(n)}' for n in names)}")
            run(con, f"drop schema {quoted(schema)}")
    except psycopg.errors.LockNotAvailable:
        return "somebody is reading it; the next publication drops it"
    except psycopg.Error as error:
        return scrubbed(words_of(error), server.dsn)
    return None


def _drop_order(con: psycopg.Connection[Any], schema: str) -> list[tuple[str, list[str]]]:
    found = rows(
        con,
        "select relkind, relname from pg_class where relnamespace = to_regnamespace(%s) and relkind in ('r', 'v')",
        quoted(schema),
    )
    views, tables = ([name for kind, name in found if kind == wanted] for wanted in ("v", "r"))
    return [(what, names) for what, names in (("view", views), ("table", tables)) if names]
