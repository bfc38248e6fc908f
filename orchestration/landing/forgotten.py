"""Who was forgotten stays forgotten: a list of salted digests, and the step that keeps those persons out of what is
landed.

Belongs here: the list in the state folder, and taking its persons' rows out of landed/ after every landing, and out of
mapped/ before it.
Does not belong here: taking a person out of what was built and published before (forget.py).

The list holds no ids, so it cannot be read back into one. The user's landing zone is never changed: rows that come
again from it are dropped here, before any model sees them.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

import duckdb

from orchestration import memory
from orchestration.landing.formats import LandingFormats
from orchestration.settings import Settings
from orchestration.storage.file_lock import held
from orchestration.storage.files import sync, write_atomically
from orchestration.storage.sql import literal

LIST_NAME = "forgotten.json"
# Columns, of any table, that say whom a row is about.
PERSON_COLUMNS = ("customer_id", "alias_id", "member_id", "company_id", "person_id", "prospect_id")
# The same lock as the landing step's own: nobody reads a landed file while it is rewritten.
_LANDING_LOCK = ".lock"
METADATA_PREFIX = "segments_in_use"
_CLEAN_NAME = ".forgotten-clean.json"


@dataclass(frozen=True)
class Forgotten:
    """Salted digests of the ids that must not come back."""

    salt: str
    digests: frozenset[str] = frozenset()

    def digest(self, person_id: str) -> str:
        """The digest of an id: sha256 of salt and id, in hex."""
        return hashlib.sha256((self.salt + person_id).encode()).hexdigest()

    def __contains__(self, person_id: str) -> bool:
        return self.digest(person_id) in self.digests

    @property
    def fingerprint(self) -> str:
        """Changes when the list does."""
        return hashlib.sha256("".join(sorted(self.digests)).encode()).hexdigest()


def read_list(settings: Settings) -> Forgotten:
    """The list; empty, with a new salt, before anyone was forgotten."""
    path = settings.state_dir / LIST_NAME
    if not path.is_file():
        return Forgotten(secrets.token_hex(16))
    content = json.loads(path.read_text(encoding="utf-8"))
    return Forgotten(content["salt"], frozenset(content["digests"]))


def remember_to_forget(settings: Settings, person_id: str) -> Forgotten:
    """Put an id on the list; returns the new list."""
    known = read_list(settings)
    new = Forgotten(known.salt, known.digests | {known.digest(person_id)})
    content = {"salt": new.salt, "digests": sorted(new.digests)}
    write_atomically(settings.state_dir / LIST_NAME, (json.dumps(content, indent=2) + "\n").encode())
    return new


def keep_out(settings: Settings, formats: LandingFormats) -> dict[str, int]:
    """Take the rows of everyone on the list out of landed/; files that were looked through before are not opened again.

    Args:
        formats: how ids are read. Landed are the texts of the files, and forgotten is who has the id that they are
            read as, or the text itself.

    Returns:
        Rows removed, by file relative to the landing zone.
    """
    if not (settings.state_dir / LIST_NAME).is_file() or not settings.landed_dir.is_dir():
        return {}
    forgotten = read_list(settings)
    removed: dict[str, int] = {}
    with held(settings.landed_dir / _LANDING_LOCK), memory.connect(warehouse=settings.warehouse_dir) as con:
        note = settings.landed_dir / _CLEAN_NAME
        looked_for = _looked_for(forgotten, formats)
        known = _read_clean(note, looked_for)
        clean: list[str] = []
        con.execute("create table digests as select unnest(?) as digest", [sorted(forgotten.digests)])
        files = {f"{p.parent.name}/{p.name}": p for p in sorted(settings.landed_dir.glob("*/*.parquet"))}
        for name, path in files.items():
            # By more than its name: the same file of the landing zone, read anew, is landed by the same name.
            if _stamp(path, name) not in known:
                for source, rows in _take_out(con, path, forgotten.salt, formats).items():
                    removed[source] = removed.get(source, 0) + rows
            clean.append(_stamp(path, name))
        content = {"list": looked_for, "clean": clean}
        write_atomically(note, json.dumps(content).encode())
    return removed


def keep_out_of_mapped(settings: Settings, formats: LandingFormats) -> dict[str, int]:
    """Take the rows of everyone on the list out of the landing zone that a mapping has made of an export.

    It is ours, and as the export has them it holds names and addresses, too. A row with more or fewer fields than the
    header is about whomever one of its fields names.

    Args:
        formats: how ids are read, as for `keep_out`.

    Returns:
        Rows removed, by file relative to the folder.
    """
    folder = settings.mapped_dir
    if not (settings.state_dir / LIST_NAME).is_file() or not folder.is_dir():
        return {}
    forgotten = read_list(settings)
    note = folder / _CLEAN_NAME
    looked_for = _looked_for(forgotten, formats)
    known = _read_clean(note, looked_for)
    clean: list[str] = []
    removed: dict[str, int] = {}
    for path in sorted(folder.rglob("*.csv")):
        name = path.relative_to(folder).as_posix()
        if _stamp(path, name) not in known:
            rows = _take_out_of_csv(path, forgotten, formats)
            if rows:
                removed[name] = rows
        clean.append(_stamp(path, name))
    write_atomically(note, json.dumps({"list": looked_for, "clean": clean}).encode())
    return removed


def person_columns(con: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    """Columns of a relation (SQL text) that say whom a row is about."""
    found = {str(row[0]) for row in con.execute(f"describe select * from {relation}").fetchall()}
    return [column for column in PERSON_COLUMNS if column in found]


def read_of(path: Path) -> str:
    """SQL that reads one parquet file, whatever characters are in its name."""
    pattern = "".join(f"[{c}]" if c in "*?[" else c for c in str(path))
    return f"read_parquet({literal(pattern)}, hive_partitioning = false)"


def rewrite_parquet(con: duckdb.DuckDBPyConnection, path: Path, keep: str) -> None:
    """Replace a parquet file by its rows that meet a condition, in their order, at once; mode and our metadata stay.

    The metadata matter: the state says in them which refresh was noted last.
    """
    mode = path.stat().st_mode
    beside = path.with_name(f".{path.stem}.rewriting")
    found = con.execute(f"select decode(key), decode(value) from parquet_kv_metadata({literal(str(path))})").fetchall()
    kept = ", ".join(f"{literal(key)}: {literal(value)}" for key, value in found if key.startswith(METADATA_PREFIX))
    options = f", kv_metadata {{{kept}}}" if kept else ""
    con.execute(
        f"copy (select * from {read_of(path)} where {keep}) to {literal(str(beside))}"
        f" (format parquet, compression zstd{options})"
    )
    beside.chmod(mode)
    sync(beside)
    beside.replace(path)
    sync(path.parent)


def _take_out(con: duckdb.DuckDBPyConnection, path: Path, salt: str, formats: LandingFormats) -> dict[str, int]:
    """Rows removed from one landed file, by the file they came from. The folder is named after the table."""
    columns = person_columns(con, read_of(path))
    if not columns:
        return {}
    # Each id once: there are far fewer ids than rows.
    as_read = {column: formats.id_as_read(path.parent.name, column, column) for column in columns}
    ids = " union ".join(
        f"select {column} as id, {text} as id_as_read from {read_of(path)}" for column, text in as_read.items()
    )
    con.execute(
        f"create or replace temp table gone as select id from ({ids}) where id is not null"
        " and (sha256($salt || id) in (select digest from digests)"
        " or sha256($salt || id_as_read) in (select digest from digests))",
        {"salt": salt},
    )
    about = " or ".join(f"coalesce({column} in (select id from gone), false)" for column in columns)
    counted = con.execute(f"select source_file, count(*) from {read_of(path)} where {about} group by 1").fetchall()
    if counted:
        rewrite_parquet(con, path, f"not ({about})")
    return {str(source): int(rows) for source, rows in counted}


def _take_out_of_csv(path: Path, forgotten: Forgotten, formats: LandingFormats) -> int:
    """Rows removed from a file of mapped/, which is replaced at once. The folder is named after the table."""
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        ids: dict[int, set[str]] = {i: set() for i, name in enumerate(header) if name in PERSON_COLUMNS}
        torn: set[str] = set()
        for row in reader:
            if len(row) != len(header):
                torn |= {*row}
            else:
                for i, found in ids.items():
                    found.add(row[i])
    with memory.connect() as con:
        gone = {i: _gone(con, found, path.parent.name, header[i], forgotten, formats) for i, found in ids.items()}
    gone_torn = {cell for cell in torn if cell and (cell in forgotten or normalize("NFC", cell) in forgotten)}

    def is_about(row: Sequence[str]) -> bool:
        if len(row) != len(header):
            return not gone_torn.isdisjoint(row)
        return any(row[i] in found for i, found in gone.items())

    if not gone_torn and not any(gone.values()):
        return 0
    dropped = 0
    beside = path.with_name(f".{path.name}.rewriting")
    with (
        path.open(encoding="utf-8", newline="") as file,
        open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="") as kept,
    ):
        reader, writer = csv.reader(file), csv.writer(kept, lineterminator="\r\n")
        writer.writerow(next(reader))
        for row in reader:
            if is_about(row):
                dropped += 1
            else:
                writer.writerow(row)
    sync(beside)
    beside.replace(path)
    sync(path.parent)
    return dropped


def _gone(
    con: duckdb.DuckDBPyConnection,
    ids: set[str],
    table: str,
    column: str,
    forgotten: Forgotten,
    formats: LandingFormats,
) -> set[str]:
    """Of the ids in a column those on the list: as they are written, or as they are read."""
    if not ids:
        return set()
    as_read = con.execute(
        f"select id, composed, {formats.id_as_read(table, column, 'composed')}"
        " from (select id, nfc_normalize(id) as composed from (select unnest(?) as id) where id <> '')",
        [sorted(ids)],
    ).fetchall()
    return {str(id) for id, *others in as_read if any(each in forgotten for each in (id, *others) if each is not None)}


def _looked_for(forgotten: Forgotten, formats: LandingFormats) -> str:
    """Changes when files that were clean must be looked through again."""
    return f"{forgotten.fingerprint} {dict(formats.ids)}"


def _stamp(path: Path, name: str) -> str:
    """A file as it is now."""
    stat = path.stat()
    return f"{name} {stat.st_size} {stat.st_mtime_ns} {stat.st_ino}"


def _read_clean(note: Path, fingerprint: str) -> set[str]:
    try:
        content = json.loads(note.read_text(encoding="utf-8"))
        return set(content["clean"]) if content["list"] == fingerprint else set()
    except (OSError, ValueError, KeyError):
        return set()
