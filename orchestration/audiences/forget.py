"""Forgetting a person: out of everything in the warehouse folder, and a search that proves it.

Belongs here: landed, mapped and demo rows, the build, the state, every published version with its exports, the logs;
and PostgreSQL, where it is published to.
Does not belong here: the user's landing zone or export, which is only looked at; keeping the person out later
(forgotten.py).

Files are rewritten, not marked: a deleted row would stay readable inside a DuckDB file. Each file is replaced at once,
so a reader sees the one with the person or the one without. Counts that others are part of (sizes, sums, affinities)
stay as they were published: they say nothing about one person.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any
from unicodedata import normalize

import duckdb
from markupsafe import escape

from orchestration.audiences.export import DIFFERENCE_NAME, KEY, SENT, SUMMARY_NAME, safe_cell, unread
from orchestration.audiences.export import FOLDER as EXPORT_FOLDER
from orchestration.landing.contract import contract
from orchestration.landing.errors import LandingError
from orchestration.landing.forgotten import (
    PERSON_COLUMNS,
    keep_out,
    keep_out_of_mapped,
    person_columns,
    read_of,
    remember_to_forget,
    rewrite_parquet,
)
from orchestration.landing.formats import VAR, LandingFormats, read_landing_formats
from orchestration.landing.land import find_files
from orchestration.landing.mapping.apply import apply_mapping, find
from orchestration.landing.mapping.model import read_mapping
from orchestration.publication.candidate import STORAGE_VERSION
from orchestration.publication.postgres.server import PostgresError, server_of
from orchestration.settings import Settings
from orchestration.storage.files import remove_folder, sha256_of, sync, write_atomically
from orchestration.storage.lock import refresh_lock
from orchestration.storage.sql import literal, quoted
from orchestration.storage.versions import DATABASE_NAME, MANIFEST_NAME, PARQUET_FOLDER, published_version
from orchestration.warehouse.project import project_vars

# As orchestration/defs/publication.py writes it into a version.
REPORT_NAME = "report.html"
# A refused row as JSON text, in the table quarantine.
RAW_COLUMN = "raw"
# An id this long does not turn up by chance as a part of anything else, so every file is searched for its characters.
# A shorter one (a number such as 12) is a quantity or a product elsewhere: it is searched for where members are named.
DISTINCT_LENGTH = 6
FORGOTTEN = "[forgotten]"
CONTACTS = "company_contacts"
# Published tables that name contact persons beside their company: its column, and theirs.
NAMES_CONTACTS = (
    ("company_committees", "company_id", "person_id"),
    ("audience_decisions", "member_id", "person_id"),
    ("audiences", "company_id", "member_id"),
)
_NAMED = rb"(customer|member|company|person|prospect|to)(_id)?[\"']?[ :=]+[\"']?"

Key = tuple[str, ...]


@dataclass
class Outcome:
    """What forgetting did. Paths are relative to the warehouse, those of `landing_files` to the landing zone or export.

    `removed`: rows taken out (or 1 for a text changed) by place. `folders`: those removed as a whole, whoever was in
    them. `left`: places where the id is still found: forgetting has not succeeded unless it is empty. `landing_files`:
    files of the landing zone, or of the export that a mapping reads, that still hold it. `handed_over`: targets of
    audiences; senders have copies. `ids`: the id that was given, then others that `landing_formats` reads it as.
    """

    removed: dict[str, int] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    landing_files: list[str] = field(default_factory=list)
    handed_over: list[str] = field(default_factory=list)
    searched: int = 0
    ids: tuple[str, ...] = ()

    def add(self, place: str, rows: int) -> None:
        """Note rows taken out of a place."""
        if rows:
            self.removed[place] = self.removed.get(place, 0) + rows


@dataclass(frozen=True)
class Contacts:
    """What there is about a company's contact persons, who are not forgotten themselves.

    `persons`: of no other company. `schemes`: those that divide contact persons. `sent`: by version, keys of
    exported rows that are for the company.
    """

    persons: frozenset[str] = frozenset()
    schemes: frozenset[str] = frozenset()
    sent: Mapping[str, frozenset[Key]] = field(default_factory=dict)


NOBODY = Contacts()


def forget(settings: Settings, person_id: str) -> Outcome:
    """Take a person (customer, company, contact or prospect) out of the warehouse folder, and search for what is left.

    May be repeated: what was interrupted is finished, what is done costs a search.

    Args:
        person_id: as it is published, or as files write it where `landing_formats` reads it otherwise.

    Raises:
        ValueError: the id is empty.
        LockHeld: a refresh is running.
    """
    if not person_id.strip():
        raise ValueError("no id was given: make forget ID=...")
    formats = read_landing_formats(project_vars(settings).get(VAR), contract())
    ids = ids_of(person_id, formats)
    outcome = Outcome(ids=ids)
    with refresh_lock(settings.lock_file, purpose="forget"):
        # First the list: whatever happens next, the person does not come back with a refresh.
        for each in ids:
            remember_to_forget(settings, each)
        contacts = _contacts_of(settings, ids, formats)
        for name, rows in keep_out_of_mapped(settings, formats).items():
            outcome.add(f"{settings.mapped_dir.name}/{name}", rows)
        for folder in (settings.build_file.parent, settings.candidate_dir, *settings.versions_dir.glob(".removed.*")):
            if folder.exists():
                outcome.folders.append(str(folder.relative_to(settings.warehouse_dir)))
                remove_folder(folder)
        for each in ids:
            _forget_in_warehouse(settings, each, contacts, outcome)
        # Last: what is landed tells whose contact persons they are, also to an attempt after one that was stopped.
        for source, rows in keep_out(settings, formats).items():
            outcome.add(f"landed rows of {source}", rows)
            if not settings.is_demo and settings.mapping_file is None:
                outcome.landing_files.append(source)
        for each in ids:
            left, outcome.searched = search(settings.warehouse_dir, each)
            outcome.left += left
            _forget_in_postgres(settings, each, outcome)
            _forget_in_targets(settings, each, outcome)
        if settings.mapping_file is not None:
            for each in ids:
                outcome.landing_files += search_export(settings.mapping_file, each, formats)
        elif settings.landing_dir is not None:
            for each in ids:
                outcome.landing_files += search_landing(settings.landing_dir, each, formats)
    outcome.landing_files = sorted(set(outcome.landing_files))
    outcome.handed_over = list(dict.fromkeys(outcome.handed_over))
    outcome.left = list(dict.fromkeys(outcome.left))
    return outcome


def ids_of(person_id: str, formats: LandingFormats) -> tuple[str, ...]:
    """The id, and what it is read as: composed, as all texts are landed, and where a column of ids of persons has a
    setting of landing_formats, by that."""
    texts = {"nfc_normalize($id)"} | {
        formats.id_as_read(table, column, "nfc_normalize($id)")
        for table, columns in formats.ids.items()
        for column in columns
        if column in PERSON_COLUMNS
    }
    with duckdb.connect() as con:
        read = {con.execute(f"select {text}", {"id": person_id}).fetchall()[0][0] for text in texts}
    return (person_id, *sorted(read - {person_id}))


def _versions(settings: Settings) -> list[Path]:
    return sorted(p for p in settings.versions_dir.glob("*") if (p / MANIFEST_NAME).is_file())


def _contacts_of(settings: Settings, ids: tuple[str, ...], formats: LandingFormats) -> Contacts:
    """The contact persons of a company, as landed and as published; of whoever is no company, nobody."""
    persons: set[str] = set()
    elsewhere: set[str] = set()
    schemes: set[str] = set()
    sent: dict[str, frozenset[Key]] = {}
    with duckdb.connect() as con:
        for path in sorted((settings.landed_dir / CONTACTS).glob("*.parquet")):
            if {"person_id", "company_id"} <= _columns(con, path):
                person = formats.id_as_read(CONTACTS, "person_id", "person_id")
                company = formats.id_as_read(CONTACTS, "company_id", "company_id")
                about = f"company_id in ({_listed(ids)}) or {company} in ({_listed(ids)})"
                for one, is_ours in _rows(con, path, f"{person}, coalesce({about}, false)"):
                    (persons if is_ours else elsewhere).add(one)
        for version in _versions(settings):
            tables = version / PARQUET_FOLDER
            for table, company, person in NAMES_CONTACTS:
                path = tables / f"{table}.parquet"
                if path.is_file() and {company, person} <= _columns(con, path):
                    found = _rows(con, path, person, f"{company} in ({_listed(ids)}) and {person} <> {company}")
                    persons |= {one for (one,) in found}
            path = tables / "audiences.parquet"
            if path.is_file() and {"company_id", *KEY} <= _columns(con, path):
                sent[version.name] = frozenset(_rows(con, path, ", ".join(KEY), f"company_id in ({_listed(ids)})"))
            path = tables / "segment_schemes.parquet"
            if path.is_file():
                schemes |= {one for (one,) in _rows(con, path, "scheme", "audience = 'company_contact'")}
    return Contacts(frozenset(persons - elsewhere - {None}), frozenset(schemes), sent)


def _columns(con: duckdb.DuckDBPyConnection, path: Path) -> set[str]:
    return {str(row[0]) for row in con.execute(f"describe select * from {read_of(path)}").fetchall()}


def _rows(con: duckdb.DuckDBPyConnection, path: Path, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
    return con.execute(f"select distinct {columns} from {read_of(path)} where {where}").fetchall()


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(literal(text) for text in sorted(texts))


def _forget_in_warehouse(settings: Settings, person_id: str, contacts: Contacts, outcome: Outcome) -> None:
    """Out of the demo data, the state, the versions and the logs."""
    # Before the tables that say which of their rows are for the company.
    for version in _versions(settings):
        outcome.add(str(version.relative_to(settings.warehouse_dir)), _forget_in_export(version, person_id, contacts))
    for path in sorted([*settings.demo_dir.glob("*/*.parquet"), *settings.state_dir.glob("*.parquet")]):
        outcome.add(str(path.relative_to(settings.warehouse_dir)), _forget_in_parquet(path, person_id, contacts))
    for version in _versions(settings):
        outcome.add(str(version.relative_to(settings.warehouse_dir)), _forget_in_version(version, person_id, contacts))
    for path in sorted(p for p in settings.logs_dir.rglob("*") if p.is_file()):
        outcome.add(str(path.relative_to(settings.warehouse_dir)), _forget_in_text(path, person_id))


def _forget_in_postgres(settings: Settings, person_id: str, outcome: Outcome) -> None:
    """Where PostgreSQL is published to, out of there too; a server that cannot be asked may still hold the person."""
    try:
        server = server_of()
        if server is None:
            return
        from orchestration.publication.postgres.people import forget_in_postgres

        rows, left = forget_in_postgres(
            server, published_version(settings), person_id, PERSON_COLUMNS, _distinct(person_id)
        )
        outcome.add("PostgreSQL", rows)
        outcome.left += left
    except PostgresError as error:
        outcome.left.append(f"PostgreSQL, perhaps: {error}")


def _forget_in_targets(settings: Settings, person_id: str, outcome: Outcome) -> None:
    """Where audiences are handed over: lists without the person are, and earlier ones are taken away."""
    from orchestration.audiences.handover.chosen import targets_of
    from orchestration.audiences.handover.lists import STATE_NAME, hand_over_to_all, last_hand_overs
    from orchestration.audiences.handover.target import TargetError

    try:
        targets = targets_of()
        earlier = last_hand_overs(settings.state_dir / STATE_NAME).keys() - {target.name for target in targets}
        outcome.handed_over += [
            f"{name} was given audiences and is not in AUDIENCE_TARGET now" for name in sorted(earlier)
        ]
        if not targets:
            return
        if published_version(settings) is not None:
            hand_over_to_all(settings, targets)
        for target in targets:
            if target.forget(person_id):
                outcome.handed_over.append(f"{target.name}: what was handed over before is gone")
            else:
                outcome.left.append(f"{target.name}, perhaps: it cannot forget; have them do it there")
    except TargetError as error:
        outcome.left.append(f"a target of the audiences, perhaps: {error}")


# ---- taking out -----------------------------------------------------------------------------------------------------


def _about(con: duckdb.DuckDBPyConnection, relation: str, person_id: str, contacts: Contacts = NOBODY) -> str | None:
    """A condition for rows of a relation that are about a person, or about one as a contact of the company; None where
    none can be."""
    conditions = [f"cast({column} as varchar) = {literal(person_id)}" for column in person_columns(con, relation)]
    columns = {str(row[0]) for row in con.execute(f"describe select * from {relation}").fetchall()}
    if RAW_COLUMN in columns:
        keys = ", ".join(f"json_extract_string({RAW_COLUMN}, '$.{column}')" for column in PERSON_COLUMNS)
        conditions.append(f"(json_valid({RAW_COLUMN}) and list_contains([{keys}], {literal(person_id)}))")
    if {"scheme", "member_id"} <= columns and contacts.persons and contacts.schemes:
        of_schemes = f"scheme in ({_listed(contacts.schemes)})"
        conditions.append(f"({of_schemes} and cast(member_id as varchar) in ({_listed(contacts.persons)}))")
    return " or ".join(f"coalesce({condition}, false)" for condition in conditions) or None


def _forget_in_parquet(path: Path, person_id: str, contacts: Contacts = NOBODY, more: str | None = None) -> int:
    with duckdb.connect() as con:
        about = " or ".join(each for each in (_about(con, read_of(path), person_id, contacts), more) if each)
        if not about:
            return 0
        found = con.execute(f"select count(*) from {read_of(path)} where {about}").fetchall()[0][0]
        if not found:
            return 0
        rewrite_parquet(con, path, f"not ({about})")
        return int(found)


def _forget_in_version(version: Path, person_id: str, contacts: Contacts) -> int:
    """Rows taken out of a version's parquet files; its database, report, manifest and the export's summary follow."""
    rows = 0
    changed: list[Path] = []
    for path in sorted((version / PARQUET_FOLDER).glob("*.parquet")):
        found = _forget_in_parquet(path, person_id, contacts)
        rows += found
        if found:
            changed.append(path)
    rows += _forget_in_database(version / DATABASE_NAME, person_id, contacts, only_count=bool(changed))
    _count_export(version)
    report = version / REPORT_NAME
    if report.is_file():
        # As HTML writes it: those of earlier releases had the ids that warnings name.
        rows += sum(_forget_in_text(report, written) for written in sorted({person_id, str(escape(person_id))}))
    manifest_file = version / MANIFEST_NAME
    manifest = json.loads(manifest_file.read_text(encoding="utf-8"))
    known = json.dumps(manifest)
    # Also where an earlier attempt was stopped after the tables: the manifest says what is there.
    for table, entry in manifest["tables"].items():
        path = version / PARQUET_FOLDER / f"{table}.parquet"
        if path.is_file():
            entry["sha256"] = sha256_of(path)
            with duckdb.connect() as con:
                entry["rows"] = con.execute(f"select count(*) from {read_of(path)}").fetchall()[0][0]
    if json.dumps(manifest) != known:
        _replace_text(manifest_file, json.dumps(manifest, indent=2) + "\n")
    return rows


def _forget_in_database(path: Path, person_id: str, contacts: Contacts, only_count: bool) -> int:
    """Write a DuckDB file again without the person, keys and checks kept; rows taken out, 0 if counted elsewhere
    already."""
    if not path.is_file():
        return 0
    beside = path.with_name(f".{path.stem}.rewriting")
    beside.unlink(missing_ok=True)
    with closing(duckdb.connect()) as con:
        con.execute(f"attach {literal(path)} as old (read_only)")
        tables = con.execute(
            "select table_name, sql from duckdb_tables()"
            " where database_name = 'old' and schema_name = 'main' order by table_name"
        ).fetchall()
        conditions = {name: _about(con, f"old.main.{quoted(name)}", person_id, contacts) for name, _ in tables}
        found = sum(
            con.execute(f"select count(*) from old.main.{quoted(name)} where {about}").fetchall()[0][0]
            for name, about in conditions.items()
            if about
        )
        if not found:
            return 0
        con.execute(f"attach {literal(beside)} as new (storage_version '{STORAGE_VERSION}')")
        con.execute("use new.main")
        for name, statement in tables:
            con.execute(statement)
            condition = conditions[name]
            keep = f" where not ({condition})" if condition else ""
            con.execute(f"insert into new.main.{quoted(name)} select * from old.main.{quoted(name)}{keep}")
        for (statement,) in con.execute(
            "select sql from duckdb_views() where database_name = 'old' and schema_name = 'main' and not internal"
        ).fetchall():
            con.execute(statement)
        for statement in _comments(con):
            con.execute(statement)
        con.execute("checkpoint new")
        con.execute("use memory")
        con.execute("detach new")
        con.execute("detach old")
    beside.chmod(path.stat().st_mode)
    sync(beside)
    beside.replace(path)
    sync(path.parent)
    return 0 if only_count else int(found)


def _comments(con: duckdb.DuckDBPyConnection) -> list[str]:
    """`comment on` statements that give `new` what the tables, views and columns of `old` say of themselves."""
    said = con.execute(
        """
        select 'table', table_name, null, comment from duckdb_tables()
        where database_name = 'old' and schema_name = 'main' and comment is not null
        union all
        select 'view', view_name, null, comment from duckdb_views()
        where database_name = 'old' and schema_name = 'main' and not internal and comment is not null
        union all
        select 'column', table_name, column_name, comment from duckdb_columns()
        where database_name = 'old' and schema_name = 'main' and comment is not null
        order by all
        """
    ).fetchall()
    return [
        f"comment on {what} new.main.{quoted(table)}{'.' + quoted(column) if column else ''} is {literal(comment)}"
        for what, table, column, comment in said
    ]


def _forget_in_export(version: Path, person_id: str, contacts: Contacts) -> int:
    """Rows taken out of the files of a version's export: those that name the person, or are for the company."""
    folder = version / EXPORT_FOLDER
    if not folder.is_dir():
        return 0
    sent = contacts.sent.get(version.name, frozenset())
    more = " or ".join(
        "(" + " and ".join(f"{name} = {literal(value)}" for name, value in zip(KEY, key, strict=True)) + ")"
        for key in sorted(sent)
    )
    rows = sum(_forget_in_parquet(path, person_id, more=more) for path in sorted(folder.glob("*.parquet")))
    # A difference also names rows of the version before.
    in_any = {key for keys in contacts.sent.values() for key in keys}
    for path in sorted(folder.glob("*.csv")):
        kept, dropped = _csv_without(path, person_id, in_any if path.name == DIFFERENCE_NAME else sent)
        if dropped:
            _replace_text(path, kept)
        rows += dropped
    return rows


def _count_export(version: Path) -> None:
    """The summary of an export says what is there, also after an earlier attempt that was stopped before it."""
    folder, tables = version / EXPORT_FOLDER, version / PARQUET_FOLDER
    summary_file = folder / SUMMARY_NAME
    if not summary_file.is_file():
        return
    known = json.loads(summary_file.read_text(encoding="utf-8"))
    summary = dict(known)
    with duckdb.connect() as con:
        sent: dict[str, int] = {}
        for path in sorted(folder.glob("*.parquet")):
            sent |= dict(con.execute(f"select channel, count(*) from {read_of(path)} group by 1 order by 1").fetchall())
        summary |= {"sent": sum(sent.values()), "sent_by_channel": dict(sorted(sent.items()))}
        decisions, audiences = tables / "audience_decisions.parquet", tables / "audiences.parquet"
        if decisions.is_file():
            outcomes = con.execute(
                f"select outcome, count(*) from {read_of(decisions)} group by 1 order by 1"
            ).fetchall()
            summary["dropped_by_reason"] = {outcome: n for outcome, n in outcomes if outcome != SENT}
        if summary.get("withheld") and audiences.is_file():
            withheld = con.execute(f"select count(*) from {read_of(audiences)}").fetchall()[0][0]
            as_of = date.fromisoformat(summary["as_of"]) if summary["as_of"] else None
            summary |= {"withheld": withheld, "why_withheld": unread(withheld, as_of) if withheld else None}
    if (folder / DIFFERENCE_NAME).is_file():
        with (folder / DIFFERENCE_NAME).open(encoding="utf-8", newline="") as file:
            changes = Counter(row["change"] for row in csv.DictReader(file))
        summary |= {"added": changes["added"], "removed": changes["removed"]}
    if summary != known:
        _replace_text(summary_file, json.dumps(summary, indent=2) + "\n")


def _csv_without(path: Path, person_id: str, keys: Iterable[Key] = ()) -> tuple[str, int]:
    """A CSV of ours without the rows that name a person or have one of the keys, and how many those are."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    columns = [i for i, name in enumerate(header) if name in PERSON_COLUMNS]
    places = [header.index(name) for name in KEY if name in header]
    gone = {tuple(safe_cell(value) for value in key) for key in keys}
    kept = [
        row
        for row in rows
        if not any(_is(row[i], person_id) for i in columns) and tuple(row[i] for i in places) not in gone
    ]
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([header, *kept])
    return out.getvalue(), len(rows) - len(kept)


def _forget_in_text(path: Path, person_id: str) -> int:
    data = path.read_bytes()
    if _distinct(person_id):
        new = _token(person_id).sub(FORGOTTEN.encode(), data)
    else:
        named = re.compile(rb"(" + _NAMED + rb")" + _token(person_id).pattern, re.IGNORECASE)
        new = named.sub(lambda m: m.group(1) + FORGOTTEN.encode(), data)
    if new == data:
        return 0
    mode = path.stat().st_mode
    path.chmod(mode | 0o200)
    path.write_bytes(new)
    path.chmod(mode)
    return 1


def _replace_text(path: Path, text: str) -> None:
    mode = path.stat().st_mode
    write_atomically(path, text.encode())
    path.chmod(mode)


# ---- searching ------------------------------------------------------------------------------------------------------


def search(folder: Path, person_id: str) -> tuple[list[str], int]:
    """Places in a folder where an id is still found, and how many files were searched.

    Tables are searched row by row: columns that name a person for the id, and where the id is distinct, every column
    for a text that holds it. Of other files, and of the bytes of all, a distinct id is searched as it is. A link is
    not followed.
    """
    found: list[str] = []
    searched = 0
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
        if any(parent.is_symlink() for parent in path.relative_to(folder).parents):
            continue
        searched += 1
        name = str(path.relative_to(folder))
        look: Callable[[Path, str], Iterator[str]] = {
            ".parquet": _search_parquet,
            ".duckdb": _search_database,
            ".csv": _search_csv,
        }.get(path.suffix, _search_nothing)
        found += [f"{name}{where}" for where in look(path, person_id)]
        if _distinct(person_id) and _token(person_id).search(path.read_bytes()):
            found.append(f"{name} (its bytes)")
    return found, searched


def _search_relation(con: duckdb.DuckDBPyConnection, relation: str, person_id: str) -> int:
    columns = con.execute(f"describe select * from {relation}").fetchall()
    conditions = [f"cast({quoted(name)} as varchar) = $id" for name, *_ in columns if name in PERSON_COLUMNS]
    if _distinct(person_id):
        conditions += [f"contains(cast({quoted(name)} as varchar), $id)" for name, *_ in columns]
    else:
        # Texts in which a person may be named: '"customer_id":"12"' in a refused row.
        keys = "|".join(PERSON_COLUMNS)
        pattern = f'"({keys})"\\s*:\\s*"{re.escape(person_id)}"'
        conditions += [
            f"regexp_matches({quoted(n)}, {literal(pattern)})" for n, kind, *_ in columns if kind == "VARCHAR"
        ]
    if not conditions:
        return 0
    where = " or ".join(f"coalesce({condition}, false)" for condition in conditions)
    parameters = {"id": person_id} if "$id" in where else {}
    return int(con.execute(f"select count(*) from {relation} where {where}", parameters).fetchall()[0][0])


def _search_parquet(path: Path, person_id: str) -> Iterator[str]:
    with duckdb.connect() as con:
        rows = _search_relation(con, read_of(path), person_id)
    if rows:
        yield f": {rows} rows"


def _search_database(path: Path, person_id: str) -> Iterator[str]:
    with closing(duckdb.connect()) as con:
        con.execute(f"attach {literal(path)} as searched (read_only)")
        for schema, table in con.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'searched' order by all"
        ).fetchall():
            rows = _search_relation(con, f"searched.{quoted(schema)}.{quoted(table)}", person_id)
            if rows:
                yield f", table {table}: {rows} rows"


def _search_csv(path: Path, person_id: str) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        columns = [i for i, name in enumerate(next(reader, [])) if name in PERSON_COLUMNS]
        rows = sum(any(_is(row[i], person_id) for i in columns if i < len(row)) for row in reader)
    if rows:
        yield f": {rows} rows"


def _search_nothing(path: Path, person_id: str) -> Iterator[str]:
    return iter(())


def search_landing(landing_dir: Path, person_id: str, formats: LandingFormats) -> list[str]:
    """Files of the landing zone, relative to it, with a row about the person. They are read, and not changed.

    Args:
        formats: how ids are read: what a file writes otherwise is found too.
    """
    try:
        files, _ = find_files(landing_dir, contract())
    except OSError as error:
        return [f"all of the landing zone, perhaps: {error.filename} cannot be read ({error.strerror})"]
    return [
        relative
        for table, relatives in files.items()
        for relative in relatives
        if _landing_file_holds(landing_dir / relative, person_id, table, formats)
    ]


def search_export(mapping_file: Path, person_id: str, formats: LandingFormats) -> list[str]:
    """Files of the export, relative to it, with a row that the mapping reads as one about the person.

    Their ids alone are mapped, into a folder that is gone afterwards.
    """
    try:
        mapping = read_mapping(mapping_file, contract())
    except LandingError as error:
        return [f"all of the export, perhaps: {error}"]
    found: set[str] = set()
    for entry in mapping.entries:
        columns = {name: source for name, source in entry.columns.items() if name in PERSON_COLUMNS}
        if not columns:
            continue
        only = replace(mapping, entries=(replace(entry, columns=columns, one_per=None),))
        with tempfile.TemporaryDirectory() as aside:
            try:
                apply_mapping(only, Path(aside), contract())
            except (LandingError, OSError) as error:
                found.add(f"{entry.file}, perhaps: {error}")
                continue
            # Of one entry, each mapped file is named after the file that it was made of.
            found |= {
                relative
                for path in find(mapping, entry, entry.file)
                for relative in [path.relative_to(mapping.folder).as_posix()]
                if _landing_file_holds(
                    Path(aside) / entry.table / f"{relative.replace('/', '__')}.csv", person_id, entry.table, formats
                )
            }
    return sorted(found)


def _landing_file_holds(path: Path, person_id: str, table: str, formats: LandingFormats) -> bool:
    try:
        if path.suffix.lower() == ".parquet":
            with duckdb.connect() as con:
                described = con.execute(f"describe select * from {read_of(path)}").fetchall()
                names = [name for name, *_ in described if name.strip().lower() in PERSON_COLUMNS]
                # An id that pandas made a float because some were null is a whole number again, as in landing.
                texts = {name: f"nfc_normalize(cast({quoted(name)} as varchar))" for name in names}
                matches = [
                    f"coalesce({text} in ($id, $id || '.0')"
                    f" or {formats.id_as_read(table, name.strip().lower(), text)} = $id, false)"
                    for name, text in texts.items()
                ]
                if not matches:
                    return False
                query = f"select count(*) from {read_of(path)} where {' or '.join(matches)}"
                return bool(con.execute(query, {"id": person_id}).fetchall()[0][0])
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            reader = csv.reader(file)
            header = [name.strip().lower() for name in next(reader, [])]
            columns = {i: name for i, name in enumerate(header) if name in PERSON_COLUMNS}
            cells: dict[str, set[str]] = {name: set() for name in columns.values()}
            for row in reader:
                for i, name in columns.items():
                    if i < len(row):
                        cells[name].add(row[i])
        with duckdb.connect() as con:
            return any(
                person_id in found
                or con.execute(
                    f"select bool_or(cell = $id or {formats.id_as_read(table, name, 'cell')} = $id)"
                    " from (select nfc_normalize(unnest($cells)) as cell)",
                    {"id": person_id, "cells": sorted(found)},
                ).fetchall()[0][0]
                for name, found in cells.items()
                if found
            )
    except (duckdb.Error, csv.Error):
        # What cannot be read as a table is searched as it is.
        return bool(_token(person_id).search(path.read_bytes()))


# ---- small things ---------------------------------------------------------------------------------------------------


def _distinct(person_id: str) -> bool:
    return len(person_id) >= DISTINCT_LENGTH


def _token(person_id: str) -> re.Pattern[bytes]:
    """The id as a word of its own: not a part of a longer number or name."""
    return re.compile(rb"(?<![\w-])" + re.escape(person_id.encode()) + rb"(?![\w-])")


def _is(cell: str, person_id: str) -> bool:
    return normalize("NFC", cell) in (person_id, f"'{person_id}")
