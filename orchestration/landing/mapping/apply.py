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
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from orchestration.landing.contract import Table
from orchestration.landing.empties import EmptySpellings, read_empty_spellings
from orchestration.landing.errors import LandingError
from orchestration.landing.formats import VAR
from orchestration.landing.mapping.files import ENDINGS, HIDDEN, Dialect, Number, as_day, find_dialect, read_rows
from orchestration.landing.mapping.model import FIELD, Entry, ExportMapping, Join, Source, nearest
from orchestration.storage.files import write_atomically

STATE_NAME = ".mapped.json"
# Raised when an export is read otherwise: what was mapped by an older version is mapped again.
MAPPED_VERSION = 4
# A currency's sign is no part of a number, unless digits stand on both sides of it.
_SYMBOL = re.compile(r"(?<!\d)[$€£¥₽]|[$€£¥₽](?!\d)")
# Apostrophes and the blanks that no line breaks at stand between groups of digits, like a blank.
_BLANKS = str.maketrans(dict.fromkeys("'’\u00a0\u202f", " "))
_UNGROUPED = re.compile(r"[+-]? *([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?")
_COMMA = "decimal_comma"
# A day alone, or with an offset.
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\s*([+-]\d{2}(:?\d{2})?|Z|UTC)?")

Value = Callable[[Sequence[str]], str]


@dataclass
class MappedTable:
    """What became of a table: the files read, rows written, and the first of them."""

    files: list[str] = field(default_factory=list)
    rows: int = 0
    first: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Column:
    """A column of the contract that is filled: its type, how its numbers are written, which spellings are empty."""

    type: str
    numbers: str
    empties: frozenset[str]


def apply_mapping(
    mapping: ExportMapping,
    target: Path,
    tables: Mapping[str, Table],
    show: int = 0,
    landing_formats: Any = None,
    empties: EmptySpellings | None = None,
) -> dict[str, MappedTable]:
    """Bring the landing zone `target` up to date with the export; nothing is read where neither that nor the mapping
    changed.

    Args:
        show: rows of each table to hand back.
        landing_formats: the var that holds, checked; by default that of the mapping's settings.
        empties: spellings of empty cells; by default the shipped ones.

    Raises:
        LandingError: a file or column that the mapping names is not there, or a file cannot be read.
    """
    formats = mapping.settings.get(VAR) if landing_formats is None else landing_formats
    empties = read_empty_spellings() if empties is None else empties
    wanted = _fingerprint(mapping, formats, empties)
    state = target / STATE_NAME
    if not show and state.is_file() and json.loads(state.read_text()).get("made_from") == wanted:
        return {}
    # Before the first file is written: a mapping that stops half-way leaves files of no mapping.
    state.unlink(missing_ok=True)
    done: dict[str, MappedTable] = {}
    written: set[Path] = set()
    for number, entry in enumerate(mapping.entries):
        table = done.setdefault(entry.table, MappedTable())
        paths = find(mapping, entry, entry.file)
        if not paths:
            there = sorted(p.name for p in mapping.folder.rglob("*") if p.suffix.lower() in ENDINGS)[:8]
            raise LandingError(
                f"MAPPING={mapping.path.name}, {entry.table}: there is no file {entry.file} in {mapping.folder}; "
                f"there are {', '.join(there) or 'no files'}"
            )
        columns = {
            column.name: _Column(
                column.type,
                _numbers(formats, entry.table, column.name),
                frozenset(("", *empties.of(entry.table, column.name))),
            )
            for column in tables[entry.table].columns
            if column.name in entry.columns
        }
        elsewhere = _torn_elsewhere(mapping, number) if entry.one_per else set()
        for path in paths:
            relative = path.relative_to(mapping.folder).as_posix()
            # Two entries may read one file, for one table too.
            place = target / entry.table / f"{relative.replace('/', '__')}{f'.{number}' if number else ''}.csv"
            rows = _mapped(mapping, entry, path, columns, empties)
            if entry.one_per:
                key, no_key = list(columns).index(entry.one_per), columns[entry.one_per].empties
                rows = _most_often(rows, key, len(columns), no_key, with_torn=path not in elsewhere)
            table.files.append(relative)
            table.rows += _write(place, list(columns), rows, table.first, show - len(table.first))
            written.add(place)
    for path in target.rglob("*.csv"):
        if path not in written:
            path.unlink()
    write_atomically(state, json.dumps({"made_from": wanted}).encode())
    return done


def find(mapping: ExportMapping, entry: Entry, pattern: str) -> list[Path]:
    """Files of the export by a name or pattern below its folder, in order: the file of that name where there is one.

    Raises:
        LandingError: the pattern cannot be one, or a folder that it leads into cannot be read; the text names mapping
            and entry.
    """
    named = mapping.folder / pattern
    try:
        is_name = not Path(pattern).is_absolute() and named.is_file()
        found = [named] if is_name else sorted(mapping.folder.glob(pattern))
        if not is_name:
            _check_folders(mapping.folder, Path(pattern).parts)
        return [path for path in found if path.is_file() and not path.name.startswith(HIDDEN)]
    except OSError as error:
        raise LandingError(
            f"MAPPING={mapping.path.name}, {entry.table}: {error.filename or named} cannot be read ({error.strerror})"
        ) from None
    except (NotImplementedError, ValueError):
        raise LandingError(
            f"MAPPING={mapping.path.name}, {entry.table}: file {pattern!r} is no name or pattern below "
            f"{mapping.folder}, such as orders.csv, orders-*.csv or **/orders.csv"
        ) from None


def _check_folders(folder: Path, parts: Sequence[str]) -> None:
    """Path.glob passes over folders that it cannot list, in silence.

    Args:
        parts: of the pattern; folders that it does not lead into are not looked at, nor those that HIDDEN begins.

    Raises:
        OSError: one cannot be listed.
    """
    anywhere = parts.index("**") if "**" in parts else len(parts)
    for at, subfolders, _ in os.walk(folder, onerror=_raise, followlinks=anywhere == len(parts)):
        inside = Path(at).relative_to(folder)
        depth = len(inside.parts)
        led = Path(*parts[: depth + 1])
        subfolders[:] = [
            name
            for name in subfolders
            if not name.startswith(HIDDEN)
            and (depth >= anywhere or (depth + 1 < len(parts) and (inside / name).match(str(led))))
        ]


def _raise(error: OSError) -> None:
    raise error


def _fingerprint(mapping: ExportMapping, formats: Any, empties: EmptySpellings) -> str:
    read_by = f"{MAPPED_VERSION}\n{json.dumps(formats, sort_keys=True, default=str)}\n{empties.rows}\n"
    return hashlib.sha256(f"{read_by}{export_fingerprint(mapping)}".encode()).hexdigest()


def export_fingerprint(mapping: ExportMapping) -> str:
    """A digest of the mapping file, and of which files of the export it reads and how they look from outside; none of
    them is opened.

    Raises:
        OSError: a file cannot be looked at, or went away meanwhile.
    """
    digest = hashlib.sha256(mapping.path.read_bytes())
    for entry in mapping.entries:
        for pattern in (entry.file, *(join.file for join in entry.joins)):
            for path in find(mapping, entry, pattern):
                stat = path.stat()
                digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _numbers(formats: Any, table: str, column: str) -> str:
    """How landing_formats says that the numbers of a column are written; '' where it does not."""
    chosen = ((formats or {}).get(table) or {}).get("numbers")
    return str((chosen.get(column) if isinstance(chosen, Mapping) else chosen) or "")


def _dialect(path: Path, delimiter: str | None, encoding: str | None) -> Dialect | None:
    if path.suffix.lower() in (".parquet", ".xlsx"):
        return None
    found = find_dialect(path)
    return Dialect(encoding or found.encoding, delimiter or found.delimiter)


def _mapped(
    mapping: ExportMapping, entry: Entry, path: Path, columns: Mapping[str, _Column], empties: EmptySpellings
) -> Iterator[list[str]]:
    """The rows of a file as the contract's columns; a torn row as it is, with a field too many."""
    where = f"MAPPING={mapping.path.name}, {entry.table}"
    rows = read_rows(path, _dialect(path, entry.delimiter, entry.encoding), entry.sheet)
    header = [name.strip() for name in next(rows, [])]
    twice = sorted(name for name, count in Counter(header).items() if count > 1 and name)
    joined = [_joined(mapping, entry, join, where, empties) for join in entry.joins]
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
    values = [_value(entry.columns[name], places, mapping.salt, column) for name, column in columns.items()]
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
            row = [*row, *found.get(as_day(row[places[join.ours]]).strip(), [""] * len(names))]
        yield [value(row) for value in values]


def _joined(
    mapping: ExportMapping, entry: Entry, join: Join, where: str, empties: EmptySpellings
) -> tuple[list[str], dict[str, list[str]]]:
    """The columns of a joined file, and its rows by their key; of rows that share one, the first.

    An empty key is none: what spells an empty cell of the contract's column that is the key, or of any column.
    """
    same = next((name for name, source in entry.columns.items() if source.column == join.ours), "")
    no_key = frozenset(("", *empties.of(entry.table, same)))
    paths = find(mapping, entry, join.file)
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
            if len(row) == len(header) and (value := as_day(row[key]).strip()) not in no_key:
                found.setdefault(value, row)
    return names, found


def _has(names: Sequence[str]) -> str:
    return f"; it has {', '.join(names[:20])}"


def _value(source: Source, places: Mapping[str, int], salt: str, column: _Column) -> Value:
    if source.column is not None:
        return _as_it_is(places[source.column], column)
    if source.constant is not None:
        constant = source.constant
        return lambda row: constant
    if source.template is not None:
        return _template(source.template, places, column)
    if source.digest is not None:
        named = _cell(places[source.digest], column)

        def digested(row: Sequence[str]) -> str:
            text = as_day(named(row)).strip().lower()
            return hashlib.sha256(f"{salt}{text}".encode()).hexdigest()[:24] if text else ""

        return digested
    return _product(source, places, column)


def _as_it_is(place: int, column: _Column) -> Value:
    """The cell, for landing to judge: also whether it is empty, and whether midnights are days."""
    if column.type in ("number", "rate", "integer"):

        def number(row: Sequence[str]) -> str:
            # 1.488 of a number is never a thousand, whatever landing_formats says; with a fourth decimal it cannot be.
            text = row[place]
            return f"{text}0" if isinstance(text, Number) and text[-4:-3] == "." else text

        return number
    if column.type == "text":
        return lambda row: as_day(row[place])
    return lambda row: row[place]


def _cell(place: int, column: _Column) -> Value:
    """The cell, without what spells an empty one."""

    def cell(row: Sequence[str]) -> str:
        text = row[place]
        return "" if text.strip() in column.empties else text

    return cell


def _template(template: str, places: Mapping[str, int], column: _Column) -> Value:
    cells = {name: _cell(places[name], column) for name in FIELD.findall(template)}

    def filled(row: Sequence[str]) -> str:
        found = {name: cell(row) for name, cell in cells.items()}
        # Without any of its columns, a template says nothing.
        if not any(found.values()):
            return ""
        text = FIELD.sub(lambda field: as_day(found[field[1]]).strip(), template).strip()
        day = _DAY.fullmatch(text) if column.type in ("date", "timestamp") else None
        # A midnight is a day beside a time of day of its own, and a moment alone or before an offset.
        if day and (day[1] or len(found) == 1):
            text = FIELD.sub(lambda field: found[field[1]].strip(), template).strip()
        return text

    return filled


def _product(source: Source, places: Mapping[str, int], column: _Column) -> Value:
    factors = [_cell(places[name], column) for name in source.product]
    shares = [_cell(places[name], column) for name in source.one_minus]
    less = _cell(places[source.less], column) if source.less else None
    has_comma = column.numbers == _COMMA

    def multiplied(row: Sequence[str]) -> str:
        of, minus = [cell(row) for cell in factors], [cell(row) for cell in shares]
        off = less(row) if less is not None else ""
        # Without one of its factors, a product says nothing.
        if not all(of):
            return ""
        try:
            result = Decimal(1)
            for text in of:
                result *= as_number(text, column.numbers)
            for text in minus:
                result *= 1 - as_number(text or "0", column.numbers)
            result -= as_number(off or "0", column.numbers)
            result = result.quantize(Decimal("0.0001")).normalize()
        except InvalidOperation:
            # Refused by staging, which shows what was there.
            there = " x ".join([*of, *(f"(1 - {text})" for text in minus if text)])
            return f"{there} - {off}" if off else there
        return f"{result:f}".replace(".", ",") if has_comma else f"{result:f}"

    return multiplied


def as_number(text: str, written: str = "") -> Decimal:
    """A number as exports write it: `1,234.50`, with a decimal comma `1.234,50`, with a currency's sign, in brackets.

    Separators are read where they part groups of three digits, and as staging reads them (as_plain_number of
    macros/engine/landing_formats.sql): `1,234` by what landing_formats says, and not at all where it says nothing.

    Args:
        written: how landing_formats says that numbers are written.

    Raises:
        InvalidOperation: it is none, or could be two.
    """
    if isinstance(text, Number):
        plain = str(text)
    else:
        plain = _SYMBOL.sub("", text.translate(_BLANKS)).strip()
        if plain.startswith("(") and plain.endswith(")"):
            plain = f"-{plain[1:-1].strip()}"
        plain = _without_groups(plain, written)
    number = Decimal(plain)
    if not number.is_finite():
        raise InvalidOperation
    return number


def _without_groups(text: str, written: str) -> str:
    group, point = (".", ",") if written == _COMMA else (",", ".")
    pattern = rf"([+-]? *)([1-9][0-9]{{0,2}}(?:(?:[{group}][0-9]{{3}})+|(?: [0-9]{{3}})+))([{point}][0-9]*)?"
    found = re.fullmatch(pattern, text)
    if found:
        sign, groups, decimals = found[1].strip(), found[2], found[3] or ""
        if not decimals and written not in (_COMMA, "decimal_point") and groups.count(group) == 1:
            raise InvalidOperation
        return sign + groups.replace(group, "").replace(" ", "") + decimals.replace(point, ".")
    decimal = text.replace(",", ".") if written == _COMMA and text.count(",") == 1 and "." not in text else text
    if not _UNGROUPED.fullmatch(decimal):
        raise InvalidOperation
    return decimal.replace(" ", "")


def _torn_elsewhere(mapping: ExportMapping, number: int) -> set[Path]:
    """Files whose torn rows are not for this entry with `one_per`: another reads the same rows, which has no `one_per`
    or comes before it."""
    entry = mapping.entries[number]
    return {
        path
        for place, other in enumerate(mapping.entries)
        if (not other.one_per or place < number) and other.sheet == entry.sheet
        for path in find(mapping, other, other.file)
    }


def _most_often(
    rows: Iterator[list[str]], key: int, width: int, no_key: frozenset[str], with_torn: bool
) -> Iterator[list[str]]:
    """One row for each value of a column: the one found most often, of equals the first in order. What spells an empty
    cell is no value, and what stands at its place in a torn row neither."""
    counts: dict[str, Counter[tuple[str, ...]]] = {}
    for row in rows:
        if len(row) != width:
            if with_torn:
                yield row
        elif row[key].strip() not in no_key:
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
        # Before 3.13, csv quotes a cell for those line ends alone that it writes; \r in a bare cell would tear the row.
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(columns)
        for row in rows:
            if count < show and len(row) == len(columns):
                first.append(dict(zip(columns, row, strict=True)))
            writer.writerow(row)
            count += 1
    os.replace(aside, path)
    return count
