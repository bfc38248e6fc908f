"""The landing zone, normalised: `land()` turns each file into one Parquet file of text columns.

Every landed file of a table has the same columns: source_file (relative to the landing zone), source_row (from 1,
without the header), landing_problem, personal_digest, and the contract's columns except personal ones, all text. What a
file does not bring is null, and so is an empty cell, in any spelling of the seed empty_spellings. Texts are in
Unicode's composed form (NFC). A column of dates or moments that says midnight in every row of a file holds dates, and
lands as such; moments of Parquet also where it is midnight in the stores. Whether a text is a number or a date is
decided later, in SQL.

Personal data is replaced while it is read: only a salted digest of it is stored. Errors name files, columns and rows,
and are raised `from None`, because the messages of the readers underneath quote the line.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration import memory
from orchestration.landing.contract import REQUIRED_TABLE, Column, Table, contract
from orchestration.landing.csv_files import fast_rows, is_ascii, is_well_quoted, read_header, slow_rows
from orchestration.landing.empties import EmptySpellings, read_empty_spellings
from orchestration.landing.errors import LandingError
from orchestration.landing.formats import LandingFormats, says_another_time, says_midnight, without_time
from orchestration.storage.file_lock import held
from orchestration.storage.sql import first_row, literal, quoted

ENDINGS = (".parquet", ".csv")
STATE_FILE = ".state.json"
LOCK_FILE = ".lock"
# Raised when files are read otherwise, or land in another shape: those landed by an older version are read again.
LANDED_VERSION = 5
# Blank: only these characters. A no-break space is what spreadsheets leave in an empty cell.
BLANKS = " \t\r\n\v\f\u00a0\ufeff"
ERRORS_SHOWN = 5


@dataclass(frozen=True)
class LandedFile:
    """What is known of one file of the landing zone; `landed_name` is that of the Parquet file it became."""

    source_file: str
    rows: int
    extra_columns: tuple[str, ...] = ()
    landed_name: str = ""


@dataclass(frozen=True)
class Reading:
    """What is set about how files are read; a change of it reads all files again."""

    empties: EmptySpellings = field(default_factory=read_empty_spellings)
    formats: LandingFormats = field(default_factory=LandingFormats)
    store_timezone: str = "UTC"


@dataclass
class LandingReport:
    """What landing found. `warnings` name tables, columns and files, never values."""

    files: dict[str, list[LandedFile]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    files_read: int = 0
    seconds: float = 0.0
    fingerprint: str = ""

    def rows(self, table: str) -> int:
        return sum(f.rows for f in self.files.get(table, []))


def land(
    source_dir: Path, landed_dir: Path, tables: dict[str, Table] | None = None, reading: Reading | None = None
) -> LandingReport:
    """Brings `landed_dir` up to date with the landing zone `source_dir`; only changed files are read.

    Safe against a second process: it waits, and then finds nothing left to do.

    Raises:
        LandingError: a file or folder cannot be read, a required column is missing, or there are no order lines.
    """
    started = time.monotonic()
    tables = contract() if tables is None else tables
    source_dir = source_dir.resolve()
    landed_dir.mkdir(parents=True, exist_ok=True)
    with held(landed_dir / LOCK_FILE):
        report = _land(source_dir, landed_dir, tables, reading or Reading())
    report.seconds = time.monotonic() - started
    return report


def _land(source_dir: Path, landed_dir: Path, tables: dict[str, Table], reading: Reading) -> LandingReport:
    try:
        found, warnings = find_files(source_dir, tables)
    except OSError as error:
        folder = Path(error.filename or source_dir)
        where = str(source_dir) if folder == source_dir else folder.relative_to(source_dir).as_posix()
        raise LandingError(f"{where}: folder cannot be read ({error.strerror})") from None
    report = LandingReport(warnings=warnings)
    state = _read_state(landed_dir, source_dir, tables, reading)
    problems: list[str] = []
    known: dict[str, dict[str, Any]] = {}
    con = _connection(landed_dir.parent)
    try:
        for table in tables.values():
            folder = landed_dir / table.name
            folder.mkdir(exist_ok=True)
            expected = set()
            for relative in found[table.name]:
                try:
                    stamp = _stamp(source_dir / relative)
                    # A changed file gets a new name: a reader may hold what it knows of the old one.
                    name = hashlib.md5(f"{relative} {stamp}".encode(), usedforsecurity=False).hexdigest()
                    target = folder / f"{name}.parquet"
                    entry = state["files"].get(relative)
                    if entry is None or entry["stamp"] != stamp or not target.is_file():
                        landed = _land_file(con, source_dir, relative, table, target, state["salt"], reading)
                        if _stamp(source_dir / relative) != stamp:
                            raise LandingError(f"{relative}: changed while it was being read")
                        entry = {"stamp": stamp, "rows": landed.rows, "extra_columns": list(landed.extra_columns)}
                        report.files_read += 1
                except LandingError as error:
                    problems.append(str(error))
                    continue
                except OSError as error:
                    problems.append(f"{relative}: cannot be read ({error.strerror})")
                    continue
                known[relative] = entry
                expected.add(target.name)
                report.files.setdefault(table.name, []).append(
                    LandedFile(relative, entry["rows"], tuple(entry["extra_columns"]), target.name)
                )
            if not found[table.name]:
                _write_empty(con, table, folder / "empty.parquet")
                expected.add("empty.parquet")
            for stale in folder.iterdir():
                if stale.name not in expected:
                    stale.unlink()
    finally:
        con.close()
        # Also after an error: the files that could be read need not be read again.
        _write_state(landed_dir, {**state, "files": known})
    if problems:
        more = f"; and {len(problems) - ERRORS_SHOWN} more files" if len(problems) > ERRORS_SHOWN else ""
        raise LandingError("; ".join(problems[:ERRORS_SHOWN]) + more)
    if REQUIRED_TABLE in tables and not report.rows(REQUIRED_TABLE):
        files = found[REQUIRED_TABLE]
        more = f" and {len(files) - ERRORS_SHOWN} more" if len(files) > ERRORS_SHOWN else ""
        named = ", ".join(files[:ERRORS_SHOWN]) + more
        what = f"no rows in {named}" if files else "no .parquet or .csv file in the landing zone"
        raise LandingError(f"{REQUIRED_TABLE}: {what}; it is the one table that must be there")
    report.warnings += _warn_of_extra_columns(report)
    report.fingerprint = _digest({relative: entry["stamp"] for relative, entry in known.items()})
    return report


def zone_fingerprint(source_dir: Path, tables: dict[str, Table] | None = None) -> str:
    """A digest of which files the landing zone holds and how they look from outside; no file is opened.

    The same as the `fingerprint` of a landing report: equal where landing again would read nothing. With a mapping,
    that of the export stands there instead (prepare.py).

    Raises:
        OSError: a file or folder cannot be looked at, or went away meanwhile.
    """
    source_dir = source_dir.resolve()
    found, _ = find_files(source_dir, contract() if tables is None else tables)
    return _digest({relative: _stamp(source_dir / relative) for files in found.values() for relative in files})


def _digest(stamps: dict[str, list[int]]) -> str:
    return hashlib.sha256(json.dumps(stamps, sort_keys=True).encode()).hexdigest()


# ---- what is in the landing zone ------------------------------------------------------------------------------------


def find_files(source_dir: Path, tables: dict[str, Table]) -> tuple[dict[str, list[str]], list[str]]:
    """Files by table, as sorted paths relative to `source_dir` with `/`, and warnings about everything else there.

    Raises:
        OSError: a folder cannot be listed; its files would be gone without a word.
    """
    files: dict[str, list[str]] = {name: [] for name in tables}
    warnings: list[str] = []
    for entry in sorted(source_dir.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.name not in tables:
            near = get_close_matches(entry.name.lower(), tables, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            what = "folder" if entry.is_dir() else "file"
            warnings.append(
                f"{entry.name}: {what} ignored, it is no table of the contract{hint}; "
                "rename it to the table that it holds (docs/bring-your-own-data.md), or take it out of the landing zone"
            )
            continue
        if not entry.is_dir():
            warnings.append(
                f"{entry.name}: ignored, a table is a folder of files; move it to {entry.stem}/{entry.name}"
            )
            continue
        others = 0
        for folder, subfolders, names in os.walk(entry, onerror=_raise, followlinks=True):
            at = Path(folder).relative_to(source_dir).as_posix()
            # _temporary and the like hold what a writer has not finished.
            unfinished = [s for s in subfolders if s.startswith((".", "_"))]
            warnings += [
                f"{at}/{s}: folder ignored, its name starts with {s[0]}; rename it once it is complete"
                for s in sorted(unfinished)
            ]
            subfolders[:] = sorted(s for s in subfolders if s not in unfinished)
            for name in names:
                if name.startswith("."):
                    continue
                if name.lower().endswith(ENDINGS):
                    files[entry.name].append(f"{at}/{name}")
                elif not name.startswith("_"):
                    others += 1
        if others:
            files_are = "1 file ignored that is" if others == 1 else f"{others} files ignored that are"
            warnings.append(f"{entry.name}: {files_are} neither .parquet nor .csv; export them as one of these")
        files[entry.name].sort()
        columns = {c.name for c in tables[entry.name].columns}
        keys = {
            part.split("=")[0].lower() for file in files[entry.name] for part in file.split("/")[1:-1] if "=" in part
        }
        for key in sorted(keys & columns):
            warnings.append(
                f"{entry.name}: the folders {key}=… are not read as the column {key}; write it into the files"
            )
    return files, warnings


def _raise(error: OSError) -> None:
    raise error


def _warn_of_extra_columns(report: LandingReport) -> list[str]:
    warnings = []
    for table, files in report.files.items():
        extra = sorted({c for f in files for c in f.extra_columns})
        if extra:
            warnings.append(
                f"{table}: columns kept out, not in the contract: {', '.join(extra)}; "
                "nothing to do, unless one is a column of docs/bring-your-own-data.md by another name: rename it"
            )
    return warnings


# ---- one file -------------------------------------------------------------------------------------------------------


def _land_file(
    con: duckdb.DuckDBPyConnection,
    source_dir: Path,
    relative: str,
    table: Table,
    target: Path,
    salt: str,
    reading: Reading,
) -> LandedFile:
    path = source_dir / relative
    land_one = _land_parquet if relative.lower().endswith(".parquet") else _land_csv
    landed = land_one(con, path, relative, table, target, salt, reading)
    _take_off_midnights(con, target, table, reading.formats)
    return landed


def _take_off_midnights(con: duckdb.DuckDBPyConnection, target: Path, table: Table, formats: LandingFormats) -> None:
    """Writes the landed file again without times of day in columns that say no other than midnight: those are dates.

    A file in which some row has another time costs a look at its first rows; one without any time, a look at all.
    """
    reader = f"read_parquet({literal(_glob_free(target))}, hive_partitioning = false)"
    dates = []
    for column in table.kept_columns:
        if column.type not in ("date", "timestamp"):
            continue
        written = formats.date_format(table.name, column.name)
        another_time, midnight = (
            f"select 1 from {reader} where {says(column.name, written)} limit 1"
            for says in (says_another_time, says_midnight)
        )
        if first_row(con.execute(another_time)) is None and first_row(con.execute(midnight)) is not None:
            dates.append(f"{without_time(column.name, written)} as {column.name}")
    if dates:
        _copy(con, f"select * replace ({', '.join(dates)}) from {reader}", target)


def _land_parquet(
    con: duckdb.DuckDBPyConnection, path: Path, relative: str, table: Table, target: Path, salt: str, reading: Reading
) -> LandedFile:
    reader = f"read_parquet({literal(_glob_free(path))}, hive_partitioning = false, file_row_number = true)"
    try:
        described = con.execute(f"describe select * exclude (file_row_number) from {reader}").fetchall()
    except duckdb.Error:
        raise LandingError(f"{relative}: cannot be read as Parquet") from None
    # DuckDB gives the second of two names that differ in case another name. It reads more than Arrow does.
    with suppress(pa.ArrowException):
        match_columns(relative, pq.read_schema(path).names, table)
    types = {name: kind for name, kind, *_ in described}
    sources = match_columns(relative, list(types), table)
    texts = {}
    try:
        for column in table.columns:
            if column.name in sources:
                name, kind = sources[column.name], types[sources[column.name]]
                spellings = reading.empties.of(table.name, column.name)
                day = _day_in_stores(con, reader, name, kind, column, reading.store_timezone)
                texts[column] = day or _value(_as_text(name, kind, column), kind, spellings, column.type == "text")
        rows = _copy(con, _select(table, texts, relative, salt, "file_row_number + 1", reader), target)
    except duckdb.Error:
        raise LandingError(f"{relative}: cannot be read as Parquet, or a column is not text in UTF-8") from None
    return LandedFile(relative, rows, _extra(types, sources))


def _day_in_stores(
    con: duckdb.DuckDBPyConnection, reader: str, name: str, kind: str, column: Column, store_timezone: str
) -> str | None:
    """SQL of the local dates of a Parquet column of moments that are all midnight in the stores; else None.

    Such a file does not keep the offset that its moments were written with: in UTC they say another hour.
    """
    if kind != "TIMESTAMP WITH TIME ZONE" or column.type not in ("date", "timestamp"):
        return None
    local = f"timezone({literal(store_timezone)}, {quoted(name)})"
    another_time = f"select 1 from {reader} where {local} <> date_trunc('day', {local}) limit 1"
    is_day = first_row(con.execute(another_time)) is None
    return f"cast(cast({local} as date) as varchar)" if is_day else None


def _land_csv(
    con: duckdb.DuckDBPyConnection, path: Path, relative: str, table: Table, target: Path, salt: str, reading: Reading
) -> LandedFile:
    header = read_header(path, relative)
    sources = match_columns(relative, list(header), table)
    composed = not is_ascii(path)
    texts = {
        c: _value(
            f"c{header.index(sources[c.name])}",
            "VARCHAR",
            reading.empties.of(table.name, c.name),
            composed and c.type == "text",
        )
        for c in table.columns
        if c.name in sources
    }
    extra = _extra(header, sources)

    def query(rows: pa.RecordBatchReader) -> int:
        con.register("csv_rows", rows)
        try:
            select = _select(table, texts, relative, salt, "source_row", "csv_rows", "landing_problem", "line_digest")
            return _copy(con, select, target)
        finally:
            con.unregister("csv_rows")

    if is_well_quoted(path):
        try:
            return LandedFile(relative, query(fast_rows(path, header)), extra)
        except (duckdb.Error, pa.ArrowException):
            pass
    problem: list[LandingError] = []
    try:
        return LandedFile(relative, query(slow_rows(path, relative, len(header), salt, problem)), extra)
    except duckdb.Error:
        raise (problem[0] if problem else LandingError(f"{relative}: cannot be read as CSV")) from None


def match_columns(relative: str, found: list[str], table: Table) -> dict[str, str]:
    """Contract column -> the file's own name for it. Case and surrounding blanks do not count.

    Raises:
        LandingError: a required column is missing, or a column is there twice.
    """
    wanted = {c.name for c in table.columns}
    sources: dict[str, str] = {}
    for name in found:
        plain = name.strip().lower()
        if plain in wanted and plain in sources:
            raise LandingError(f"{relative}: column {plain} is there twice")
        if plain in wanted:
            sources[plain] = name
    missing = [c.name for c in table.columns if c.is_needed and c.name not in sources]
    if missing:
        # What was found instead is not shown: in a file without a header it would be somebody's data.
        separators = [s for s in (";", "\t", "|") if len(found) == 1 and s in found[0]]
        hint = " (fields must be separated by commas)" if separators else ""
        if any(f"/{name}=" in relative.lower() for name in missing):
            hint = " (the name of a folder is not read as a column)"
        raise LandingError(f"{relative}: required column {', '.join(missing)} is missing{hint}")
    return sources


def _extra(found: Iterable[str], sources: dict[str, str]) -> tuple[str, ...]:
    taken = set(sources.values())
    return tuple(sorted({name.strip() or "(no name)" for name in found if name not in taken}))


def _as_text(name: str, kind: str, column: Column) -> str:
    """SQL that turns a Parquet column into text which types again to the same value, on every engine.

    A zone is kept as an offset. An id that pandas made a float because some were null is a whole number again.
    """
    named = quoted(name)
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"cast(timezone('UTC', {named}) as varchar) || '+00:00'"
    if kind == "BLOB":
        return f"decode({named})"
    text = f"cast({named} as varchar)"
    is_float = kind in ("FLOAT", "DOUBLE")
    if column.type == "text" and (is_float or kind.startswith("DECIMAL")):
        finite = f"isfinite({named}) and abs({named}) < 1e18 and " if is_float else ""
        as_whole = f"cast(cast({named} as hugeint) as varchar)"
        whole = f"case when {finite}{named} = trunc({named}) then {as_whole} else {text} end"
        return f"case when not isnan({named}) then {whole} end" if is_float else whole
    if column.type in ("number", "rate", "integer") and (is_float or kind.startswith("DECIMAL")):
        # 1.488 of a number is never a thousand, whatever landing_formats says; with a fourth decimal it cannot be.
        return f"case when substr({text}, -4, 1) = '.' then {text} || '0' else {text} end"
    return text


def _value(text: str, kind: str, empty_spellings: Sequence[str], composed: bool) -> str:
    """SQL of a cell's value: null where it is blank or spells an empty cell, else the text, `composed` where asked.

    Trimming and comparing are slow, and few texts begin as a spelling does: those that begin with another visible
    character are values, whatever follows. Numbers and moments of Parquet are never blank, and spell nothing empty
    but NaN.
    """
    if kind not in ("VARCHAR", "BLOB", "FLOAT", "DOUBLE") and not kind.startswith("ENUM"):
        return text
    value = f"nfc_normalize({text})" if composed else text
    quick = [
        f"when {text} >= {literal(first)} and {text} < {literal(end)} then {value}"
        for first, end in _ranges_without({spelling[0] for spelling in empty_spellings})
    ]
    listed = ", ".join(literal(spelling) for spelling in ("", *empty_spellings))
    is_value = f"not list_contains([{listed}], trim({text}, {literal(BLANKS)}))"
    return f"case {' '.join(quick)} when {is_value} then {value} end"


def _ranges_without(characters: set[str]) -> list[tuple[str, str]]:
    """The visible characters of ASCII but those, as ranges (first, the one after the last): digits, then the widest."""
    ranges: list[tuple[str, str]] = []
    for character in map(chr, range(ord("!"), ord("~") + 1)):
        after = chr(ord(character) + 1)
        if character in characters:
            continue
        if ranges and ranges[-1][1] == character:
            ranges[-1] = (ranges[-1][0], after)
        else:
            ranges.append((character, after))
    return sorted(ranges, key=lambda each: (not each[0] <= "0" < each[1], ord(each[0]) - ord(each[1])))


def _select(
    table: Table,
    texts: dict[Column, str],
    relative: str,
    salt: str,
    row: str,
    reader: str,
    problem: str = "cast(null as varchar)",
    line_digest: str = "",
) -> str:
    """The landed shape of one file, as a query over `reader`."""
    personal = [texts[c] for c in table.personal_columns if c in texts]
    digest = "cast(null as varchar)"
    if personal:
        # The list keeps an empty e-mail and an empty phone apart.
        joined = f"to_json([{', '.join(personal)}])"
        digest = f"case when coalesce({', '.join(personal)}) is not null then md5({literal(salt)} || {joined}) end"
    if line_digest:
        digest = f"coalesce({line_digest}, {digest})"
    columns = [
        f"{literal(relative)} as source_file",
        f"cast({row} as bigint) as source_row",
        f"{problem} as landing_problem",
        f"{digest} as personal_digest",
        *(f"{texts.get(c, 'cast(null as varchar)')} as {c.name}" for c in table.kept_columns),
    ]
    return f"select {', '.join(columns)} from {reader}"


def _copy(con: duckdb.DuckDBPyConnection, query: str, target: Path) -> int:
    """Writes the query's rows to `target`, which appears whole or not at all. Returns their number."""
    unfinished = target.with_name(f".{target.stem}.unfinished")
    try:
        result = first_row(con.execute(f"copy ({query}) to {literal(str(unfinished))} (format parquet)"))
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return int(result[0]) if result else 0


def _write_empty(con: duckdb.DuckDBPyConnection, table: Table, target: Path) -> None:
    if not target.is_file():
        _copy(con, _select(table, {}, "", "", "0", "(select 1) where false"), target)


# ---- small things ---------------------------------------------------------------------------------------------------


def _connection(warehouse: Path) -> duckdb.DuckDBPyConnection:
    """An in-memory database whose settings make text the same everywhere and keep rows in the file's order."""
    con = memory.connect(warehouse=warehouse)
    con.execute("set TimeZone = 'UTC'")
    con.execute("set preserve_insertion_order = true")
    return con


def _glob_free(path: Path) -> str:
    """The path as a pattern that matches itself only."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path))


def _stamp(path: Path) -> list[int]:
    """What changes when a file does. ctime and inode also catch a copy that keeps size and mtime."""
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def _read_state(landed_dir: Path, source_dir: Path, tables: dict[str, Table], reading: Reading) -> dict[str, Any]:
    """What was landed before, or a new state where that was another landing zone, contract, reading or version."""
    identity = hashlib.sha256(repr((LANDED_VERSION, str(source_dir), tables, reading)).encode()).hexdigest()
    with contextlib.suppress(OSError, ValueError, KeyError):
        state = json.loads((landed_dir / STATE_FILE).read_text(encoding="utf-8"))
        if state["identity"] == identity:
            return dict(state)
    return {"identity": identity, "salt": secrets.token_hex(16), "files": {}}


def _write_state(landed_dir: Path, state: dict[str, Any]) -> None:
    unfinished = landed_dir / f"{STATE_FILE}.unfinished"
    unfinished.write_text(json.dumps(state), encoding="utf-8")
    unfinished.rename(landed_dir / STATE_FILE)
