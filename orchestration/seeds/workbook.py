"""The treatments as a workbook and back: a sheet a scheme, lists in the cells, and nothing lost on the way.

Belongs here: what a workbook of treatments looks like, and reading one, also one that somebody made by hand.
Does not belong here: where it is written and what it replaces (desk.py), and what a treatment must say (check.py).

A row is a dictionary of the seed's columns (rows.COLUMNS), each a text as the CSV file holds it: dates as 2026-11-30.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from orchestration.seeds.files import read_day
from orchestration.seeds.treatments import COLUMNS, DATES, EVERY_SEGMENT, TreatmentsFileError, blank_in_id, nearest

Row = dict[str, str]
Shown = tuple[str, int, float | None]
READ_ME = "Read me"
# Hidden: what the drop-down lists offer, which scheme each sheet is of, and what its treatments were.
LISTS = "_lists"
SHEETS = "_sheets"
# Shown beside the treatments and locked: they come from the published version, and are passed over on the way back.
CONTEXT = ("label", "members", "spend")
# In a marketer's order: whom, what they notice, what stands behind it, when, and who answers for it.
SHOWN = (
    "segment",
    *CONTEXT,
    "treatment_id",
    "channel",
    "message",
    "offer",
    "offer_item",
    "product_adaptation",
    "service_level",
    "value_proposition",
    "proof",
    "tone_of_voice",
    "valid_from",
    "valid_to",
    "review_on",
    "owner",
    "scheme",
)
# A row that says nothing in these is no treatment: it shows a segment that has none yet.
_SAYING = tuple(column for column in COLUMNS if column not in ("scheme", "segment"))
# Characters wide: what a column's texts need to be read without scrolling in the cell.
_WIDTHS = {
    **dict.fromkeys(("segment", "label", "treatment_id", "offer_item"), 24),
    **dict.fromkeys(("members", "valid_from", "valid_to", "review_on", "channel"), 12),
    **dict.fromkeys(("spend", "owner", "scheme"), 16),
    **dict.fromkeys(("message", "offer"), 48),
}
_WIDTH = 36
# Rows below the last treatment that are ready to be written in.
_SPARE_ROWS = 500
# What Excel allows: characters of a sheet's name and of a cell.
_SHEET_NAME = 31
_CELL = 32_767
# The first day that Excel counts as every other calendar does; an earlier date stays a text.
_FIRST_DAY = date(1900, 3, 1)
# Problems told one by one; a workbook of another kind has one in every cell.
_PROBLEMS_TOLD = 20
# Rows in which a header is looked for: one that is not the first is told, not passed over.
_HEADER_SOUGHT = 10
# Columns that a sheet made by hand must have; one written here keeps all.
_NEEDED = ("treatment_id", "segment", "value_proposition", "proof", "tone_of_voice", "channel", "message")
# Excel writes a character that XML cannot hold as _x0007_, and the text `_x0007_` itself as _x005F_x0007_.
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_UNESCAPED = re.compile(r"_x005F_(?=x[0-9A-Fa-f]{4}_)")
_CARRIAGE_RETURN = re.compile(r"(?<!_x005F)_x000D_")
_NO_WORKBOOK = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True)
class SchemeSheet:
    """What one scheme's sheet shows and offers beside its treatments.

    `segments` are those that a treatment may name, in the order in which they are shown; `is_open` where the data bring
    others too. `context` is (label, members, spend) by segment, of those that were published; `served` the same by
    treatment_id, of `*` rows. `left_out` are segments that need no treatment.
    """

    scheme: str
    segments: Sequence[str] = ()
    is_open: bool = False
    is_active: bool = True
    description: str = ""
    context: Mapping[str, Shown] = field(default_factory=dict)
    served: Mapping[str, Shown] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Offered:
    """What the lists in the cells offer in every sheet, and the columns' descriptions."""

    channels: Sequence[str] = ()
    service_levels: Sequence[str] = ()
    items: Sequence[str] = ()
    descriptions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Workbook:
    """What a workbook says: its rows, where each stands, the schemes that have a sheet, and what was noted of each
    scheme's treatments when it was written (scheme -> digest; nothing in a workbook made by hand).
    """

    rows: list[Row]
    places: list[str]
    schemes: frozenset[str]
    noted: Mapping[str, str] = field(default_factory=dict)

    def place(self, index: int, column: str) -> str:
        """Where a cell stands, in words."""
        return f"{self.places[index]}, column {column}"


def digest(rows: Iterable[Mapping[str, str]]) -> str:
    """SHA-256 of some treatments, whatever the order of rows and columns; an empty column is none."""
    texts = sorted(json.dumps(sorted((k, v) for k, v in row.items() if v)) for row in rows)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


# ---- writing ---------------------------------------------------------------------------------------------------------


def write_workbook(
    rows: Sequence[Mapping[str, str]], sheets: Sequence[SchemeSheet], offered: Offered, read_me: Sequence[str]
) -> bytes:
    """A workbook of treatments, as the bytes of an .xlsx file.

    Args:
        rows: the treatments as the CSV file holds them.
        sheets: the schemes in the order in which they are shown; one with treatments and no sheet here gets one.
        offered: what the lists in the cells offer.
        read_me: the lines of the first sheet; its first is the title.

    Raises:
        TreatmentsFileError: a text cannot stand in a workbook.
    """
    from openpyxl import Workbook as Book
    from openpyxl.styles import Font

    book = Book()
    front = book.active
    assert front is not None
    front.title = READ_ME
    front.column_dimensions["A"].width = 110
    for number, line in enumerate(read_me, 1):
        _put(front.cell(number, 1), line)
    front["A1"].font = Font(bold=True, size=14)
    front.protection.sheet = True
    lists = book.create_sheet(LISTS)
    lists.sheet_state = "hidden"
    known = {sheet.scheme for sheet in sheets}
    more = [SchemeSheet(scheme) for scheme in dict.fromkeys(row["scheme"] for row in rows) if scheme not in known]
    names: dict[str, str] = {}
    taken = {READ_ME.lower(), LISTS.lower(), SHEETS.lower(), "history"}
    shared = {
        "channel": _list(lists, "channel", offered.channels),
        "service_level": _list(lists, "service_level", offered.service_levels),
        "offer_item": _list(lists, "offer_item", offered.items),
    }
    for sheet in [*sheets, *more]:
        own = [row for row in rows if row["scheme"] == sheet.scheme]
        name = _sheet_name(sheet.scheme, taken)
        names[name] = sheet.scheme
        segments = [*sheet.segments, *([EVERY_SEGMENT] if sheet.is_open else [])]
        offers = {**shared, "segment": _list(lists, sheet.scheme, segments)}
        _write_sheet(book.create_sheet(name), sheet, own, offers, offered.descriptions)
    noted = book.create_sheet(SHEETS)
    noted.sheet_state = "hidden"
    for number, (name, scheme) in enumerate(names.items(), 1):
        values = (name, scheme, digest(row for row in rows if row["scheme"] == scheme))
        for column, value in enumerate(values, 1):
            _put(noted.cell(number, column), value)
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def _sheet_name(scheme: str, taken: set[str]) -> str:
    """A name that Excel takes for a sheet, near the scheme's, and not `taken` (in lower case), to which it is added."""
    plain = re.sub(r"[\[\]:*?/\\\x00-\x1f]", "_", scheme).strip("' ") or "no scheme"
    for number in range(1, 1000):
        ending = "" if number == 1 else f" {number}"
        name = plain[: _SHEET_NAME - len(ending)].rstrip("' ") + ending
        if name.lower() not in taken:
            taken.add(name.lower())
            return name
    raise TreatmentsFileError(f"scheme {scheme}: there are too many sheets of its name")


def _list(lists: Any, heading: str, values: Sequence[str]) -> str:
    """Writes a column of the hidden sheet of lists; returns the range that a drop-down list reads, '' for none."""
    from openpyxl.utils import get_column_letter

    # A cell beyond Excel's length cannot be chosen from a list either.
    values = [value for value in dict.fromkeys(values) if value and len(value) <= _CELL and not _unfit(value)]
    if not values:
        return ""
    column = 1 if lists.max_row == 1 and lists.cell(1, 1).value is None else lists.max_column + 1
    for number, value in enumerate([heading, *values], 1):
        _put(lists.cell(number, column), value)
    letter = get_column_letter(column)
    return f"{LISTS}!${letter}$2:${letter}${len(values) + 1}"


def _write_sheet(
    sheet: Any,
    scheme: SchemeSheet,
    rows: Sequence[Mapping[str, str]],
    offers: Mapping[str, str],
    descriptions: Mapping[str, str],
) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Font, PatternFill, Protection
    from openpyxl.utils import get_column_letter

    shade, dark = PatternFill("solid", fgColor="EDEDED"), PatternFill("solid", fgColor="1F3A4D")
    wrapped, unlocked = Alignment(wrap_text=True, vertical="top"), Protection(locked=False)
    formats = {**dict.fromkeys(DATES, "yyyy-mm-dd"), "members": "#,##0", "spend": "#,##0.00"}
    for place, column in enumerate(SHOWN, 1):
        head = sheet.cell(1, place, column)
        head.font, head.fill, head.alignment = Font(bold=True, color="FFFFFF"), dark, wrapped
        told = descriptions.get(column)
        if told:
            head.comment = Comment(told, "treatments", height=120, width=320)
        # Of cells that are not there yet: what is typed into them stays what was typed.
        whole = sheet.column_dimensions[get_column_letter(place)]
        whole.width = _WIDTHS.get(column, _WIDTH)
        whole.number_format, whole.alignment = formats.get(column, "@"), wrapped
        whole.protection = Protection(locked=column in CONTEXT)
    served = {row["segment"] for row in rows}
    # A segment without a treatment is a row that waits for one.
    named = served | scheme.left_out
    waiting = [segment for segment in scheme.segments if segment not in named and segment in scheme.context]
    if EVERY_SEGMENT in served or not scheme.is_active:
        waiting = []
    blank = dict.fromkeys(COLUMNS, "")
    for number, row in enumerate(
        [*rows, *({**blank, "scheme": scheme.scheme, "segment": segment} for segment in waiting)], 2
    ):
        known = scheme.context.get(row["segment"]) or scheme.served.get(row["treatment_id"])
        label, members, spend = known or ("", None, None)
        shown = {"label": label, "members": members, "spend": spend}
        for place, column in enumerate(SHOWN, 1):
            cell = sheet.cell(number, place)
            cell.alignment = wrapped
            if column in CONTEXT:
                value = shown[column]
                cell.fill, cell.number_format = shade, formats.get(column, "@")
                _put(cell, value) if isinstance(value, str) else setattr(cell, "value", value)
                continue
            # Of an empty cell too: `10%` that is typed into it stays a text.
            cell.protection, cell.number_format = unlocked, formats.get(column, "@")
            text = row.get(column, "")
            unfit = _unfit(text)
            if unfit:
                raise TreatmentsFileError(
                    f"treatments.csv, treatment {row['treatment_id']}, column {column}: {unfit}, which no cell can hold"
                )
            day = _as_day(text) if column in DATES else None
            if day is not None:
                cell.value, cell.number_format = day, formats[column]
            elif text:
                _put(cell, text)
    _offer(sheet, scheme, offers, len(rows) + len(waiting) + 1 + _SPARE_ROWS)
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(SHOWN))}{len(rows) + len(waiting) + 1}"
    # Without a password: it keeps a slip of the hand from the locked cells, and nobody from taking it off.
    sheet.protection.sheet = True
    for allowed in ("formatCells", "formatColumns", "formatRows", "insertRows", "deleteRows", "sort", "autoFilter"):
        setattr(sheet.protection, allowed, False)
    sheet.sheet_properties.tabColor = "1F3A4D" if scheme.is_active else "A6A6A6"


def _offer(sheet: Any, scheme: SchemeSheet, offers: Mapping[str, str], last: int) -> None:
    """The lists in the cells of a sheet, down to row `last`; what a closed list does not hold cannot be typed."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    closed = {"channel": "seeds/channels.csv lists the channels"}
    if not scheme.is_open:
        closed["segment"] = "the scheme has these segments and no others"
    for column, values in offers.items():
        if not values:
            continue
        rule = DataValidation(type="list", formula1=values, allow_blank=True)
        rule.showErrorMessage = column in closed
        rule.errorTitle, rule.error = column, f"Choose one from the list: {closed.get(column, '')}."
        letter = get_column_letter(SHOWN.index(column) + 1)
        rule.add(f"{letter}2:{letter}{last}")
        sheet.add_data_validation(rule)
    for column in DATES:
        rule = DataValidation(type="date", operator="greaterThan", formula1="1", allow_blank=True)
        rule.showErrorMessage, rule.errorStyle = True, "stop"
        rule.errorTitle, rule.error = column, "A date is needed here, or nothing."
        letter = get_column_letter(SHOWN.index(column) + 1)
        rule.add(f"{letter}2:{letter}{last}")
        sheet.add_data_validation(rule)


def _put(cell: Any, text: str) -> None:
    """A text as it is, also one that a spreadsheet would take for a formula, a number or a date."""
    if not text:
        return
    cell.value = ""
    cell.value = None
    cell.number_format = "@"
    # Past openpyxl's own reading of the text, which makes a formula of `=…` and an error of `#N/A`.
    cell._value = _ESCAPED.sub("_x005F_", text)
    cell.data_type = "s"
    # As if it had been typed with an apostrophe in front: it stays a text when the cell is edited.
    cell.quotePrefix = text[:1] in "=+-@"


def _unfit(text: str) -> str:
    """Why a text cannot stand in a cell; '' where it can."""
    if len(_ESCAPED.sub("_x005F_", text)) > _CELL:
        return f"a text of {len(text):,} characters (at most {_CELL:,})"
    found = _NO_WORKBOOK.search(text)
    return f"an invisible character (U+{ord(found[0]):04X})" if found else ""


def _as_day(text: str) -> date | None:
    """A text as a date that a workbook can hold."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day >= _FIRST_DAY else None


# ---- reading ---------------------------------------------------------------------------------------------------------


def read_workbook(path: Path, schemes: Collection[str] = ()) -> Workbook:
    """The treatments of a workbook: each sheet with their columns in its first row, whatever it is called.

    Args:
        path: an .xlsx file, written here or by hand.
        schemes: the schemes that there are: a row without a scheme has that of its sheet's name.

    Raises:
        TreatmentsFileError: it is no workbook, or a cell cannot be taken as it stands; each problem on a line that
            names file, sheet, row and column.
    """
    book = _open(path)
    try:
        return _read(path.name, book, schemes)
    finally:
        book.close()


def _open(path: Path) -> Any:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        # Not the values that formulas were saved with: a treatment is what somebody wrote.
        return load_workbook(path, read_only=True, data_only=False)
    except OSError as error:
        raise TreatmentsFileError(f"{path.name}: cannot be read ({error.strerror or error})") from None
    except (BadZipFile, InvalidFileException, KeyError, ValueError, TypeError):
        raise TreatmentsFileError(
            f"{path.name}: cannot be read as a workbook; save it as .xlsx (Excel workbook)"
        ) from None


@dataclass
class _Sheet:
    """A sheet of treatments while it is read: `header` is column by place from 0."""

    where: str
    header: dict[int, str]
    scheme: str | None
    rows: list[tuple[int, Row]] = field(default_factory=list)


def _read(file: str, book: Any, schemes: Collection[str]) -> Workbook:
    noted = _noted(book)
    problems: list[str] = []
    sheets: list[_Sheet] = []
    for name in book.sheetnames:
        if name in (READ_ME, LISTS, SHEETS):
            continue
        sheet = book[name]
        if not hasattr(sheet, "iter_rows"):
            # A sheet that is a chart.
            continue
        # What a program wrote as the sheet's extent is often wrong; its cells are right.
        sheet.reset_dimensions()
        scheme = noted[name][0] if name in noted else (name if name in schemes else None)
        found = _read_sheet(f"{file}, sheet {name}", sheet, scheme, COLUMNS if noted else _NEEDED, problems)
        if found is not None:
            sheets.append(found)
    if not sheets and not problems:
        raise TreatmentsFileError(
            f"{file}: no sheet has the columns of treatments in its first row ({', '.join(COLUMNS)})"
        )
    rows: list[Row] = []
    places: list[str] = []
    seen: set[str] = set()
    for found in sheets:
        named = {row["scheme"] for _, row in found.rows if row["scheme"]}
        scheme = found.scheme if found.scheme is not None else (min(named) if len(named) == 1 else None)
        # A sheet of no scheme is a table of all that it names.
        seen |= {scheme} if scheme is not None else named
        for number, row in found.rows:
            place = f"{found.where}, row {number}"
            if not row["scheme"]:
                if scheme is None:
                    problems.append(f"{place}, column scheme: is empty, and the sheet is not called after a scheme")
                    continue
                row["scheme"] = scheme
            if any(row[column] for column in _SAYING):
                rows.append(row)
                places.append(place)
    first: dict[str, str] = {}
    for row, place in zip(rows, places, strict=True):
        written = row["treatment_id"]
        if not written.strip():
            problems.append(
                f"{place}, column treatment_id: is empty; write an id that no treatment has had before, such as "
                f"{row['scheme']}_{row['segment'].replace(EVERY_SEGMENT, 'each') or 'new'}"
            )
        elif blank_in_id(written):
            problems.append(f"{place}, column treatment_id: {blank_in_id(written)}")
        elif written in first:
            problems.append(f"{place}, column treatment_id: {written} is already the id of {first[written]}")
        first.setdefault(written, place)
    if problems:
        rest = len(problems) - _PROBLEMS_TOLD
        told = problems[:_PROBLEMS_TOLD] + ([f"and {rest} more"] if rest > 0 else [])
        raise TreatmentsFileError("\n".join(told))
    return Workbook(rows, places, frozenset(seen), {scheme: sha for scheme, sha in noted.values()})


def _noted(book: Any) -> dict[str, tuple[str, str]]:
    """Scheme and digest by the name of the sheet, of a workbook written here."""
    if SHEETS not in book.sheetnames:
        return {}
    found = {}
    for cells in book[SHEETS].iter_rows(values_only=True):
        name, scheme, sha = ([*(str(cell or "") for cell in cells), "", "", ""])[:3]
        found[_plain(name)] = (_plain(scheme), sha)
    return found


def _read_sheet(
    where: str, sheet: Any, scheme: str | None, needed: Collection[str], problems: list[str]
) -> _Sheet | None:
    """The rows of a sheet; None where it is none of treatments, having no column of theirs at its top."""
    found: _Sheet | None = None
    for number, cells in enumerate(sheet.iter_rows(), 1):
        if found is None:
            header = _names(cells)
            if _is_header(header):
                if number > 1:
                    problems.append(f"{where}, row {number}: the columns must be named in row 1; delete what is above")
                    return None
                _check_header(where, header, needed, problems)
                found = _Sheet(where, header, scheme)
            elif number == _HEADER_SOUGHT:
                break
            continue
        row = dict.fromkeys(COLUMNS, "")
        for place, cell in enumerate(cells):
            if cell.value in (None, ""):
                continue
            column = found.header.get(place)
            here = f"{where}, row {number}, column {column or _letter(place)}"
            if column is None:
                problems.append(f"{here}: stands beside the columns of treatments; give it one, or take it out")
            elif column not in CONTEXT:
                text, problem = _cell_text(cell, column)
                row[column] = text
                if problem:
                    problems.append(f"{here}: {problem}")
        if any(row.values()):
            found.rows.append((number, row))
    if found is None and scheme is not None:
        problems.append(f"{where}, row 1: the columns of treatments are not named ({', '.join(needed)})")
    if found is not None:
        problems += [
            f"{where}: cells {merged} are merged, so that all but the first are empty; unmerge them"
            for merged in merged_ranges(sheet)
        ]
    return found


def _names(cells: Sequence[Any]) -> dict[int, str]:
    """The names in a row of cells, by place from 0, as columns are spelled."""
    found = {place: re.sub(r"[\s_-]+", "_", str(cell.value or "").strip().lower()) for place, cell in enumerate(cells)}
    return {place: name for place, name in found.items() if name}


def _is_header(names: Mapping[int, str]) -> bool:
    return "treatment_id" in names.values() or {"segment", "channel", "message"} <= set(names.values())


def _check_header(where: str, names: Mapping[int, str], needed: Collection[str], problems: list[str]) -> None:
    known = (*COLUMNS, *CONTEXT)
    written = list(names.values())
    for place, name in names.items():
        if name not in known:
            problems.append(
                f"{where}, row 1, column {_letter(place)}: there is no column {name}{nearest(name, known)}; keep notes "
                "on a sheet of your own"
            )
    problems += [f"{where}, row 1: column {name} is there twice" for name in set(written) if written.count(name) > 1]
    problems += [f"{where}, row 1: column {column} is missing" for column in needed if column not in written]


def _letter(place: int) -> str:
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(place + 1))


def _cell_text(cell: Any, column: str) -> tuple[str, str]:
    """A cell as the seed's text, and what is wrong with it ('' where nothing is)."""
    value = cell.value
    if cell.data_type == "f":
        return "", "is a formula; copy the cell and paste its value"
    if cell.data_type == "e":
        return "", f"is the error {value}; write what is meant"
    if column in DATES:
        if isinstance(value, datetime):
            if value.time() != time():
                return "", f"{value} has a time of day; a date such as 2026-11-30 is needed"
            return value.date().isoformat(), ""
        if isinstance(value, date):
            return value.isoformat(), ""
        if isinstance(value, str):
            return read_day(_plain(value))
        return "", f"{value!r} is a number; a date such as 2026-11-30 is needed"
    if isinstance(value, str):
        return _plain(value), ""
    if isinstance(value, bool):
        return str(value).upper(), ""
    # A number with decimals is 2,5 to one reader of the workbook and 2.5 to another.
    if isinstance(value, int | float | Decimal) and cell.number_format in ("General", "@", "0") and value == int(value):
        return str(int(value)), ""
    shown = value.isoformat(" ") if isinstance(value, datetime) else value
    return "", (
        f"{shown} is a value in the format {cell.number_format}; format the cell as text, and write what is to be read"
    )


def _plain(text: str) -> str:
    """A text without what workbooks write of line ends and of characters that XML cannot hold."""
    without = _CARRIAGE_RETURN.sub("", text)
    return _UNESCAPED.sub("_", without).replace("\r\n", "\n").replace("\r", "\n")


def merged_ranges(sheet: Any) -> list[str]:
    """The merged ranges of a sheet, such as A2:A4; reading by rows does not tell them."""
    with sheet.parent._archive.open(sheet._worksheet_path) as file:
        return [found.decode() for found in re.findall(rb"<(?:\w+:)?mergeCell\s[^>]*ref=\"([A-Z0-9:]+)\"", file.read())]
