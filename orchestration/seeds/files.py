"""A seed in the clothes that spreadsheets give it: read as it is meant, and written plainly, for dbt and Python alike.

Excel in Europe parts columns with semicolons and writes 0,33, 30.11.2026 and WAHR; elsewhere it puts a mark before the
first letter, CRLF at the ends of rows, TRUE for true, or all of it in UTF-16. Plain is: UTF-8 without a mark, commas,
line feeds, quotation marks only where they are needed, 0.33, 2026-11-30, true.

Belongs here: encodings, delimiters, and how numbers, dates and flags are spelled.
Does not belong here: which seeds there are, and whose holds (overrides.py).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from functools import lru_cache
from pathlib import Path

import yaml

from orchestration.places import SHIPPED_SEEDS, SettingsError

DELIMITERS = (",", ";", "\t", "|")
# Excel's line above the header, which says what stands between columns.
SEPARATOR_LINE = re.compile(r'"?sep=([^\r\n"])"?[^\r\n]*(?:\r\n|\n|\r)')
# What Excel calls true and false, in capitals, where it speaks German, French, Spanish, Italian, Portuguese, Dutch or
# Polish.
_TRUE = frozenset(["TRUE", "WAHR", "VRAI", "VERDADERO", "VERO", "VERDADEIRO", "WAAR", "PRAWDA"])
_FALSE = frozenset(["FALSE", "FALSCH", "FAUX", "FALSO", "ONWAAR", "FAŁSZ"])
_WHOLE = ("int", "bigint", "integer", "smallint")
_NUMBERS = (*_WHOLE, "double", "float", "decimal", "numeric", "real")


@lru_cache
def column_types(shipped_dir: Path = SHIPPED_SEEDS) -> dict[str, dict[str, str]]:
    """Seed -> column -> type, as the YAML files beside the seeds say."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(shipped_dir.glob("*.yml")):
        for seed in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("seeds") or []:
            types = (seed.get("config") or {}).get("column_types") or {}
            found[seed["name"]] = {column: str(type_).lower() for column, type_ in types.items()}
    return found


def plain_rows(
    content: bytes, where: str, known: Sequence[str], types: Mapping[str, str], lines: list[int] | None = None
) -> list[list[str]]:
    """The rows of a seed, the header first, in plain spelling. Empty rows, and columns without name and value, are left
    out; every row is as long as the header.

    Args:
        content: the file.
        where: how its errors call it.
        known: the columns that it may have; they tell what stands between columns.
        types: type by column, of those that are no text.
        lines: where given, gets the line on which each row begins.

    Raises:
        SettingsError: it cannot be read; the text names the line, and the column where one is at fault.
    """
    text = _text(content, where)
    delimiter, text, skipped = _dialect(text, known)
    # Strict: a quotation mark that does not close would swallow the rows behind it.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    line, header = 1 + skipped, [""]
    try:
        for cells in reader:
            cells = [re.sub(r"\r\n?", "\n", cell) for cell in cells]
            began = line
            here = f"{where}, line {began}"
            line = reader.line_num + 1 + skipped
            if not any(cell.strip() for cell in cells):
                continue
            if lines is not None:
                lines.append(began)
            if not rows:
                header = [cell.strip() for cell in cells]
                while header and not header[-1]:
                    header.pop()
                rows.append(header)
                continue
            while len(cells) > len(header) and not cells[-1].strip():
                cells.pop()
            if len(cells) != len(header):
                column = header[len(cells)] if len(cells) < len(header) else f"beyond {header[-1]}"
                raise SettingsError(
                    f"{here}, column {column}: {len(cells)} cells instead of {len(header)}; a text with a "
                    f'{"comma" if delimiter == "," else repr(delimiter)} must stand in "quotation marks"'
                )
            rows.append(
                [
                    plain_value(cell, types.get(column, ""), delimiter, f"{here}, column {column}")
                    for column, cell in zip(header, cells, strict=True)
                ]
            )
    except csv.Error as error:
        raise SettingsError(f"{where}, line {line}: {error}; check the quotation marks") from None
    return rows


def as_csv(rows: Iterable[Iterable[str]]) -> str:
    """Rows as a plain CSV file."""
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n").writerows(rows)
    return sink.getvalue()


def _text(content: bytes, where: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\x00" in content:
        raise SettingsError(f"{where}: holds zero bytes; save it as CSV UTF-8")
    else:
        encoding = "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        # Which of the older encodings it is cannot be told from the bytes, and another letter would come out.
        line = content[: error.start].count(b"\n") + 1
        raise SettingsError(
            f"{where}, line {line}: not UTF-8; save it as `CSV UTF-8` (Excel: Save as, `CSV UTF-8`)"
        ) from None


def _dialect(text: str, known: Sequence[str]) -> tuple[str, str, int]:
    """What stands between columns, the text without Excel's line that says so, and how many lines that took away."""
    said = SEPARATOR_LINE.match(text)
    if said:
        return said[1], text[said.end() :], 1
    first = text.lstrip("\r\n").splitlines()[:1] or [""]

    def columns_known(delimiter: str) -> int:
        cells = next(csv.reader(first, delimiter=delimiter), [])
        return len({cell.strip() for cell in cells} & set(known))

    return max(DELIMITERS, key=columns_known), text, 0


def plain_value(text: str, type_: str, delimiter: str, where: str) -> str:
    """A value as dbt casts it to its column's type.

    Raises:
        SettingsError: a date or number that cannot be read, or that could be two.
    """
    value = text.strip()
    base = type_.partition("(")[0]
    if not value or base not in ("date", "boolean", *_NUMBERS):
        return text
    if base == "boolean":
        return "true" if value.upper() in _TRUE else "false" if value.upper() in _FALSE else value
    if base == "date":
        found, problem = read_day(value)
        if problem:
            raise SettingsError(f"{where}: {problem}")
        return found
    number = _number(value, base in _WHOLE, delimiter)
    if number is None:
        example = "1000" if base in _WHOLE else "0.33"
        raise SettingsError(f"{where}: {value!r} is not a number that can be read one way only; write it as {example}")
    return number


def read_day(text: str) -> tuple[str, str]:
    """A date as spreadsheets write it, as 2026-11-30, and what is wrong with it ('' where nothing is).

    30.11.2026 is read; with strokes, 11/12/2026 would be two dates.
    """
    text = text.strip()
    if not text:
        return "", ""
    parts = re.fullmatch(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})(?:[ T]0?0:00(?::00)?)?", text, re.ASCII)
    written = f"{parts[3]}-{parts[2]:0>2}-{parts[1]:0>2}" if parts else re.sub(r"[ T]0?0:00(?::00)?$", "", text)
    try:
        # Only YYYY-MM-DD: what else Python reads (20260131, 2026-W05-6), other readers of the file do not.
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", written, re.ASCII):
            raise ValueError(written)
        date.fromisoformat(written)
    except ValueError:
        return text, f"{text!r} is not a date such as 2026-11-30{_meant(text)}"
    return written, ""


def _meant(text: str) -> str:
    """The dates that a text with strokes may be, as a hint; '' where it is none."""
    parts = re.fullmatch(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})", text, re.ASCII)
    if parts is None:
        return ""
    found = []
    for month, day in ((parts[1], parts[2]), (parts[2], parts[1])):
        with suppress(ValueError):
            found.append(date(int(parts[3]), int(month), int(day)).isoformat())
    return f" (did you mean {' or '.join(dict.fromkeys(found))}?)" if found else ""


def _number(value: str, is_whole: bool, delimiter: str) -> str | None:
    """A number with a point, or None where it is none, or could be two."""
    digits = re.sub(r"(?<=\d)[\s\u00a0\u202f'](?=\d{3})", "", value)
    percent = re.fullmatch(r"(.*\d)\s*%", digits)
    if percent:
        found = _number(percent[1], False, delimiter)
        return None if found is None or is_whole else f"{float(found) / 100:.10g}"
    if re.fullmatch(r"[+-]?\d+", digits):
        return digits
    if re.fullmatch(r"[+-]?(\d{1,3}(\.\d{3})+,\d+|\d{1,3}(,\d{3})+\.\d+)", digits):
        point = max(digits.rfind("."), digits.rfind(","))
        digits = re.sub(r"[.,]", "", digits[:point]) + "." + digits[point + 1 :]
        return digits if not is_whole else _whole(digits)
    thousands = re.fullmatch(r"[+-]?[1-9]\d{0,2}(([.,])\d{3})+", digits)
    if thousands:
        # Of a file with commas between columns, a comma in a number parts thousands, and a point is the decimal one.
        mark = "," if delimiter == "," else "."
        if thousands[2] == mark:
            return re.sub(r"[.,]", "", digits) if is_whole or digits.count(mark) > 1 else None
    if re.fullmatch(r"[+-]?\d*[.,]\d+", digits):
        digits = digits.replace(",", ".")
        return digits if not is_whole else _whole(digits)
    return digits if not is_whole and re.fullmatch(r"[+-]?\d+(\.\d+)?[eE][+-]?\d+", digits) else None


def _whole(digits: str) -> str | None:
    whole, _, cents = digits.partition(".")
    return whole if not cents.strip("0") else None


def is_plain(content: bytes) -> bool:
    """Whether a file is in plain clothes as far as a look at its bytes tells: dbt can then read it as it is."""
    if content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) or b"\r" in content or b"\x00" in content:
        return False
    header = content.split(b"\n", 1)[0]
    return b"," in header or not re.search(rb"[;\t|]", header)


def dressed(folder: Path) -> list[str]:
    """The seeds of a folder that are not in plain clothes."""
    return [path.name for path in sorted(folder.glob("*.csv")) if not is_plain(path.read_bytes())]
