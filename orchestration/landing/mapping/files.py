"""What the files of an export hold: their dialect, their header, their rows as texts.

Belongs here: reading CSV (any delimiter, a few encodings), Parquet and workbooks.
Does not belong here: what columns mean.
"""

from __future__ import annotations

import csv
import itertools
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from orchestration.landing.errors import LandingError
from orchestration.seeds.files import SEPARATOR_LINE

ENDINGS = (".csv", ".txt", ".tsv", ".parquet", ".xlsx")
# What begins the names of files and folders that no export has: hidden ones, those that Excel has open, and the folder
# of a disk's own at its root, which nobody else can list.
HIDDEN = (".", "~$", "lost+found")
DELIMITERS = (",", ";", "\t", "|")
# The first bytes that are looked at to tell encoding and delimiter.
LOOKED_AT = 1 << 20
# cp1251 and cp1252 read any bytes. Where this share of the letters beyond ASCII follows another such one, the text is
# Cyrillic: in a western European language they stand alone among others.
CYRILLIC_SHARE = 0.5
# Of the bytes of UTF-16 without a mark, half are zero where the text is Latin.
UTF16_SHARE = 0.3


class Number(str):
    """The text of a cell that is a number by its type, so that its point is no thousands separator."""

    __slots__ = ()


class Midnight(str):
    """The text of a cell that is a moment by its type, without an offset, at midnight: perhaps a day."""

    __slots__ = ()


def as_day(text: str) -> str:
    """A midnight without its time of day; any other text as it is."""
    return text.partition(" ")[0] if isinstance(text, Midnight) else text


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written: its encoding as Python names it, and what stands between fields."""

    encoding: str = "utf-8-sig"
    delimiter: str = ","


def find_dialect(path: Path) -> Dialect:
    """The dialect of a CSV file, from its first megabyte, or as a line above its header says (`sep=;`).

    Raises:
        LandingError: it cannot be read, is empty, or holds bytes that no text has.
    """
    try:
        with path.open("rb") as file:
            start = file.read(LOOKED_AT)
    except OSError as error:
        raise LandingError(f"{path.name}: cannot be read ({error.strerror})") from None
    if not start.strip():
        raise LandingError(f"{path.name}: empty, without a header")
    encoding = _encoding(start)
    text = start.decode(encoding, errors="ignore")
    if "\x00" in text:
        raise LandingError(f"{path.name}: no text in UTF-8, UTF-16, cp1252 or cp1251")
    said = SEPARATOR_LINE.match(text)
    if said:
        return Dialect(encoding, said[1])
    header = text.splitlines()[0]
    counts = {delimiter: _unquoted(header, delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: counts[delimiter])
    return Dialect(encoding, best if counts[best] else ",")


def _encoding(start: bytes) -> str:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    # Without its mark, UTF-16 has a zero beside nearly every character of a header.
    head = start[:200]
    zeros = [sum(byte == 0 for byte in head[place::2]) for place in (0, 1)]
    if max(zeros) > len(head) * UTF16_SHARE and min(zeros) == 0:
        return "utf-16-be" if zeros[0] else "utf-16-le"
    # A character may be cut where the look ends.
    for cut in range(4):
        try:
            start[: len(start) - cut].decode("utf-8-sig")
            return "utf-8-sig"
        except UnicodeDecodeError:
            continue
    high = sum(byte >= 0xC0 for byte in start)
    in_runs = sum(byte >= 0xC0 and before >= 0xC0 for byte, before in zip(start[1:], start, strict=False))
    return "cp1251" if high and in_runs / high > CYRILLIC_SHARE else "cp1252"


def _unquoted(line: str, delimiter: str) -> int:
    return sum(part.count(delimiter) for part in line.split('"')[::2])


def read_rows(path: Path, dialect: Dialect | None = None, sheet: str | None = None) -> Iterator[list[str]]:
    """The header, then the rows, as texts; what is empty is ''. Rows of a CSV may be longer or shorter than the header.

    Args:
        dialect: of a CSV file; found where it is not given.
        sheet: of a workbook; the first where it is not given.

    Raises:
        LandingError: the file cannot be read; the text names it, and the row where one is at fault.
    """
    ending = path.suffix.lower()
    if ending == ".parquet":
        return _parquet_rows(path)
    if ending == ".xlsx":
        return _sheet_rows(path, sheet)
    return _csv_rows(path, dialect or find_dialect(path))


def _csv_rows(path: Path, dialect: Dialect) -> Iterator[list[str]]:
    csv.field_size_limit(sys.maxsize)
    row = 0
    try:
        with path.open(encoding=dialect.encoding, newline="") as lines:
            first = lines.readline()
            texts: Iterator[str] = lines if SEPARATOR_LINE.fullmatch(first) else itertools.chain([first], lines)
            # Strict: a quote that is not closed would swallow the rows behind it.
            for record in csv.reader(texts, delimiter=dialect.delimiter, strict=True):
                if record:
                    yield record
                    row += 1
    except UnicodeError:
        raise LandingError(
            f"{path.name}: not {dialect.encoding}, near row {max(row, 1)}; write its encoding into the mapping file"
        ) from None
    except csv.Error:
        raise LandingError(f"{path.name}: a quote is not closed, or text follows one, in row {max(row, 1)}") from None
    except OSError as error:
        raise LandingError(f"{path.name}: cannot be read ({error.strerror})") from None


def _parquet_rows(path: Path) -> Iterator[list[str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        yield list(file.schema_arrow.names)
        for batch in file.iter_batches():
            columns = [column.to_pylist() for column in batch.columns]
            yield from ([cell_text(value) for value in row] for row in zip(*columns, strict=True))
    except (pa.ArrowException, OSError):
        raise LandingError(f"{path.name}: cannot be read as Parquet") from None
    except UnicodeDecodeError:
        raise LandingError(f"{path.name}: a column is not text in UTF-8, as it says that it is") from None


def sheet_names(path: Path) -> list[str]:
    """The sheets of a workbook that hold cells: a chart may have a sheet of its own.

    Raises:
        LandingError: it is no workbook, or has none.
    """
    return _sheets(_workbook(path), path)


def _sheets(book: Any, path: Path) -> list[str]:
    names = [sheet.title for sheet in book.worksheets]
    if not names:
        raise LandingError(f"{path.name}: no sheet holds cells")
    return names


def _sheet_rows(path: Path, sheet: str | None) -> Iterator[list[str]]:
    book = _workbook(path)
    names = _sheets(book, path)
    name = sheet or names[0]
    if name not in names:
        raise LandingError(f"{path.name}: there is no sheet {name}; its sheets are {', '.join(names)}")
    where = f"{path.name}, sheet {name}"
    # The same cells as formulas: one that was saved without its value would be an empty cell.
    formulas = _workbook(path, data_only=False)[name].iter_rows(values_only=True)
    merged = _merged(book[name])
    header: list[Any] | None = None
    for number, (row, written) in enumerate(zip(book[name].iter_rows(values_only=True), formulas, strict=True), 1):
        cells = list(row)
        if all(cell in (None, "") for cell in written):
            continue
        for place, (cell, text) in enumerate(zip(cells, written, strict=True), 1):
            if cell is None and text not in (None, ""):
                raise LandingError(
                    f"{where}, cell {_cell_name(number, place)}{_of(header, place)}: a formula that was saved without "
                    "its value; open the workbook in a spreadsheet program and save it, or save the sheet as CSV"
                )
        if header is None:
            header = cells
            for range_ in (each for each in merged if _last_row(each) >= number):
                first, _, last = range_.partition(":")
                raise LandingError(
                    f"{where}: cells {first} to {last} are merged, so that all but the first are empty; unmerge them, "
                    "write the value into each row, and leave no title above the header; or save the sheet as CSV"
                )
            while header and header[-1] in (None, ""):
                header.pop()
            yield [as_day(cell_text(cell)) for cell in header]
            continue
        while len(cells) > len(header) and cells[-1] in (None, ""):
            cells.pop()
        # A row with values beyond the header stays so long, and is refused for it.
        yield [cell_text(cell) for cell in cells]
    if header is None:
        raise LandingError(f"{where}: empty, without a header")


def _of(header: list[Any] | None, place: int) -> str:
    named = header[place - 1] if header and place <= len(header) else None
    return f" (column {named})" if named else ""


def _cell_name(row: int, column: int) -> str:
    from openpyxl.utils import get_column_letter

    return f"{get_column_letter(column)}{row}"


def _last_row(range_: str) -> int:
    return int("".join(char for char in range_.rpartition(":")[2] if char.isdigit()) or 0)


def _merged(sheet: Any) -> list[str]:
    """The merged ranges of a sheet, such as A2:A4; reading by rows does not tell them."""
    with sheet.parent._archive.open(sheet._worksheet_path) as file:
        return [found.decode() for found in re.findall(rb"<(?:\w+:)?mergeCell\s[^>]*ref=\"([A-Z0-9:]+)\"", file.read())]


def _workbook(path: Path, data_only: bool = True) -> Any:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        # Formulas give the value that the workbook was saved with.
        return load_workbook(path, read_only=True, data_only=data_only)
    except (BadZipFile, InvalidFileException, KeyError, OSError):
        raise LandingError(f"{path.name}: cannot be read as a workbook (.xlsx)") from None


def cell_text(value: Any) -> str:
    """A value as the text that landing reads it from: ISO dates, whole numbers without a point, '' for nothing.

    A midnight keeps its time of day: it is a day only where the whole of a file says midnight, which landing sees.
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        text = value.isoformat(sep=" ")
        return Midnight(text) if value.tzinfo is None and value.time() == time() else text
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value != value:
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else Number(repr(value))
    if isinstance(value, Decimal):
        if value.is_finite() and value == value.to_integral_value():
            return str(int(value))
        return Number(f"{value:f}")
    if isinstance(value, bytes):
        # Texts that their writer did not mark as such. What is none, such as a picture, stops no export that has it.
        with suppress(UnicodeDecodeError):
            return value.decode()
    return str(value)
