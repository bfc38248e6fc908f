"""A landing zone written from a mapping: a CSV of the contract's columns for each file of the export.

A mapped file keeps its file's name and the order and number of its rows, so what landing says of a row holds for the
export too. A row with more or fewer fields than the header stays such a row, and is refused for it.

Belongs here: values put together from columns, joins, lines filled down.
Does not belong here: typing (staging does that).
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from orchestration.landing.contract import Table
from orchestration.landing.errors import LandingError
from orchestration.landing.mapping.files import ENDINGS, Dialect, find_dialect, read_rows
from orchestration.landing.mapping.model import FIELD, Entry, ExportMapping, Join, Source, nearest
from orchestration.storage.files import write_atomically

STATE_NAME = ".mapped.json"
MAPPED_VERSION = 1
# Characters of money that are no part of a number.
_SYMBOLS = str.maketrans("", "", "$€£¥₽ \u00a0\u202f'")

Value = Callable[[Sequence[str]], str]


@dataclass
class MappedTable:
    """What became of a table: the files read, rows written, and the first of them."""

    files: list[str] = field(default_factory=list)
    rows: int = 0
    first: list[dict[str, str]] = field(default_factory=list)


def apply_mapping(
    mapping: ExportMapping, target: Path, tables: Mapping[str, Table], show: int = 0
) -> dict[str, MappedTable]:
    """Bring the landing zone `target` up to date with the export; nothing is read where neither that nor the mapping
    changed.

    Args:
        show: rows of each table to hand back.

    Raises:
        LandingError: a file or column that the mapping names is not there, or a file cannot be read.
    """
    wanted = _fingerprint(mapping)
    state = target / STATE_NAME
    if not show and state.is_file() and json.loads(state.read_text()).get("made_from") == wanted:
        return {}
    done: dict[str, MappedTable] = {}
    written: set[Path] = set()
    for number, entry in enumerate(mapping.entries):
        table = done.setdefault(entry.table, MappedTable())
        paths = find(mapping.folder, entry.file)
        if not paths:
            there = sorted(p.name for p in mapping.folder.rglob("*") if p.suffix.lower() in ENDINGS)[:8]
            raise LandingError(
                f"MAPPING={mapping.path.name}, {entry.table}: there is no file {entry.file} in {mapping.folder}; "
                f"there are {', '.join(there) or 'no files'}"
            )
        columns = [column.name for column in tables[entry.table].columns if column.name in entry.columns]
        for path in paths:
            relative = path.relative_to(mapping.folder).as_posix()
            # Two entries may read one file, for one table too.
            place = target / entry.table / f"{relative.replace('/', '__')}{f'.{number}' if number else ''}.csv"
            rows = _mapped(mapping, entry, path, columns)
            if entry.one_per:
                rows = _most_often(rows, columns.index(entry.one_per))
            table.files.append(relative)
            table.rows += _write(place, columns, rows, table.first, show - len(table.first))
            written.add(place)
    for path in target.rglob("*.csv"):
        if path not in written:
            path.unlink()
    write_atomically(state, json.dumps({"made_from": wanted}).encode())
    return done


def find(folder: Path, pattern: str) -> list[Path]:
    """Files of the export by a name or pattern below its folder, in order."""
    return sorted(p for p in folder.glob(pattern) if p.is_file() and not p.name.startswith((".", "~$")))


def _fingerprint(mapping: ExportMapping) -> str:
    digest = hashlib.sha256(f"{MAPPED_VERSION}\n".encode() + mapping.path.read_bytes())
    for entry in mapping.entries:
        for pattern in (entry.file, *(join.file for join in entry.joins)):
            for path in find(mapping.folder, pattern):
                stat = path.stat()
                digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _dialect(path: Path, delimiter: str | None, encoding: str | None) -> Dialect | None:
    if path.suffix.lower() in (".parquet", ".xlsx"):
        return None
    found = find_dialect(path)
    return Dialect(encoding or found.encoding, delimiter or found.delimiter)


def _mapped(mapping: ExportMapping, entry: Entry, path: Path, columns: Sequence[str]) -> Iterator[list[str]]:
    """The rows of a file as the contract's columns; a torn row as it is, with a field too many."""
    where = f"MAPPING={mapping.path.name}, {entry.table}"
    rows = read_rows(path, _dialect(path, entry.delimiter, entry.encoding), entry.sheet)
    header = [name.strip() for name in next(rows, [])]
    twice = sorted(name for name, count in Counter(header).items() if count > 1 and name)
    joined = [_joined(mapping, join, where) for join in entry.joins]
    places = {name: place for place, name in reversed(list(enumerate(header)))}
    width = len(header)
    for join, (names, _) in zip(entry.joins, joined, strict=True):
        if join.ours not in places:
            raise LandingError(
                f"{where}, join: {path.name} has no column {join.ours}{nearest(join.ours, header)}{_has(header)}"
            )
        for name in names:
            places.setdefault(f"{join.name}.{name}", width)
            width += 1
    known = sorted(places, key=lambda name: places[name])
    for target, source in entry.columns.items():
        for name in source.columns():
            if name in twice:
                raise LandingError(
                    f"{where}, {target}: {path.name} has two columns {name}; give one of them another name there"
                )
            if name not in places:
                raise LandingError(
                    f"{where}, {target}: {path.name} has no column {name}{nearest(name, known)}{_has(known)}. "
                    f"Write the name that its header has now for {target}"
                )
    for name in (*entry.fill_down, *([entry.fill_by] if entry.fill_by else [])):
        if name not in places:
            raise LandingError(
                f"{where}, fill_down: {path.name} has no column {name}{nearest(name, known)}{_has(known)}"
            )
    comma = str(((mapping.settings.get("landing_formats") or {}).get(entry.table) or {}).get("numbers", ""))
    values = [_value(entry.columns[name], places, mapping.salt, comma) for name in columns]
    fill = [places[name] for name in entry.fill_down]
    by = places.get(entry.fill_by or "")
    group: str | None = None
    kept: dict[int, str] = {}
    for row in rows:
        if len(row) != len(header):
            yield [*row, *[""] * max(0, len(columns) + 1 - len(row))]
            continue
        if by is not None:
            if row[by] != group:
                group, kept = row[by], {place: row[place] for place in fill}
            row = [kept[place] if place in kept and not value else value for place, value in enumerate(row)]
        for join, (names, found) in zip(entry.joins, joined, strict=True):
            row = [*row, *found.get(row[places[join.ours]].strip(), [""] * len(names))]
        yield [value(row) for value in values]


def _joined(mapping: ExportMapping, join: Join, where: str) -> tuple[list[str], dict[str, list[str]]]:
    """The columns of a joined file, and its rows by their key; of rows that share one, the first."""
    paths = find(mapping.folder, join.file)
    if not paths:
        raise LandingError(f"{where}, join: there is no file {join.file} in {mapping.folder}")
    names: list[str] = []
    found: dict[str, list[str]] = {}
    for path in paths:
        rows = read_rows(path, _dialect(path, join.delimiter, join.encoding), join.sheet)
        header = [name.strip() for name in next(rows, [])]
        if join.theirs not in header:
            raise LandingError(
                f"{where}, join: {path.name} has no column {join.theirs}{nearest(join.theirs, header)}{_has(header)}"
            )
        names = names or header
        if header != names:
            raise LandingError(f"{where}, join: {path.name} has other columns than {paths[0].name}")
        key = header.index(join.theirs)
        for row in rows:
            if len(row) == len(header):
                found.setdefault(row[key].strip(), row)
    return names, found


def _has(names: Sequence[str]) -> str:
    return f"; it has {', '.join(names[:20])}"


def _value(source: Source, places: Mapping[str, int], salt: str, number_format: str) -> Value:
    if source.column is not None:
        place = places[source.column]
        return lambda row: row[place]
    if source.constant is not None:
        constant = source.constant
        return lambda row: constant
    if source.template is not None:
        template, fields = source.template, FIELD.findall(source.template)

        def filled(row: Sequence[str]) -> str:
            # Without any of its columns, a template says nothing.
            if not any(row[places[name]].strip() for name in fields):
                return ""
            return FIELD.sub(lambda found: row[places[found[1]]].strip(), template).strip()

        return filled
    if source.digest is not None:
        place = places[source.digest]

        def digested(row: Sequence[str]) -> str:
            text = row[place].strip().lower()
            return hashlib.sha256(f"{salt}{text}".encode()).hexdigest()[:24] if text else ""

        return digested
    return _product(source, places, number_format)


def _product(source: Source, places: Mapping[str, int], number_format: str) -> Value:
    factors = [places[name] for name in source.product]
    shares = [places[name] for name in source.one_minus]
    less = places[source.less] if source.less else None
    has_comma = "comma" in number_format

    def multiplied(row: Sequence[str]) -> str:
        try:
            result = Decimal(1)
            for place in factors:
                result *= as_number(row[place], has_comma)
            for place in shares:
                result *= 1 - as_number(row[place] or "0", has_comma)
            if less is not None:
                result -= as_number(row[less] or "0", has_comma)
        except InvalidOperation:
            # Refused by staging, which shows what was there.
            return " x ".join(row[place] for place in factors)
        text = f"{result.quantize(Decimal('0.0001')).normalize():f}"
        return text.replace(".", ",") if has_comma else text

    return multiplied


def as_number(text: str, has_comma: bool) -> Decimal:
    """A number as exports write it: `1,234.50`, with a decimal comma `1.234,50`, with a currency's sign, in brackets.

    Raises:
        InvalidOperation: it is none.
    """
    plain = text.translate(_SYMBOLS)
    if plain.startswith("(") and plain.endswith(")"):
        plain = f"-{plain[1:-1]}"
    plain = plain.replace(".", "").replace(",", ".") if has_comma else plain.replace(",", "")
    number = Decimal(plain)
    if not number.is_finite():
        raise InvalidOperation
    return number


def _most_often(rows: Iterator[list[str]], key: int) -> Iterator[list[str]]:
    """One row for each value of a column: the one found most often, of equals the first in order."""
    counts: dict[str, Counter[tuple[str, ...]]] = {}
    for row in rows:
        if row[key].strip():
            counts.setdefault(row[key], Counter())[tuple(row)] += 1
    for found in counts.values():
        yield list(min(found.items(), key=lambda each: (-each[1], each[0]))[0])


def _write(
    path: Path, columns: Sequence[str], rows: Iterator[list[str]], first: list[dict[str, str]], show: int
) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    count = 0
    # Columns of persons may be among them.
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            if count < show and len(row) == len(columns):
                first.append(dict(zip(columns, row, strict=True)))
            writer.writerow(row)
            count += 1
    os.replace(aside, path)
    return count
