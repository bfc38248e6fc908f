"""The file of a shop's categories that a person fills in, and what is taken back of it.

A row is a category, most spend first. `proposed` is a mark on meanings that nobody has looked at: such a row counts in
nothing until the mark is taken off.

Belongs here: proposals, the file's text, judging what was filled in.
Does not belong here: where the file is (commands.py).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from orchestration.landing.mapping.files import find_dialect, read_rows

MEANINGS = ("job_to_be_done", "purchase_motive", "lifestyle")
SEED_COLUMNS = ("category", *MEANINGS)
COLUMNS = ("category", "spend", "spend_share", *MEANINGS, "proposed")
PROPOSED = "proposed"
VOCABULARY = Path(__file__).with_name("vocabulary.csv")
# Letters that a word of the vocabulary may be continued by and still be meant: tool, tools; machine, machinery.
_ENDING = r"(?:s|es|n|en|e|ry|er)?"


class MeaningsError(ValueError):
    """The file cannot be taken back; the text names file, row, column, and what to write."""


@dataclass(frozen=True)
class Category:
    """A category, its spend, and what it means: texts by MEANINGS, empty where nobody says. `is_proposed`: nobody has
    looked at them yet."""

    name: str
    spend: float = 0.0
    meanings: tuple[str, str, str] = ("", "", "")
    is_proposed: bool = False


def vocabulary(path: Path = VOCABULARY) -> dict[str, tuple[str, str, str]]:
    """Meanings by a word of a category's name, in the order in which words are tried."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["word"]: (row[MEANINGS[0]], row[MEANINGS[1]], row[MEANINGS[2]]) for row in csv.DictReader(file)}


def proposal(name: str, words: Mapping[str, tuple[str, str, str]]) -> tuple[str, str, str]:
    """What a category usually means: by the longest word of the vocabulary that its name has, of equals the first."""
    found = [word for word in words if re.search(rf"\b{re.escape(word)}{_ENDING}\b", name.lower())]
    return words[max(found, key=len)] if found else ("", "", "")


def to_fill_in(
    sold: Sequence[Category], decided: Mapping[str, Category], written: Mapping[str, Category]
) -> list[Category]:
    """The rows of the file, most spend first.

    Args:
        sold: the shop's categories with their spend.
        decided: rows of the seed that holds, by name in lower case.
        written: rows of the file as it is now, by name in lower case; they stay as a person left them.
    """
    words = vocabulary()
    rows = []
    for category in sorted(sold, key=lambda each: (-each.spend, each.name)):
        key = category.name.lower()
        known = written.get(key) or decided.get(key)
        if known is not None:
            rows.append(replace(known, name=category.name, spend=category.spend))
            continue
        meanings = proposal(category.name, words)
        rows.append(replace(category, meanings=meanings, is_proposed=any(meanings)))
    return rows


def as_csv(rows: Sequence[Category]) -> str:
    """The file's text."""
    total = sum(row.spend for row in rows)
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        share = f"{row.spend / total:.4f}" if total > 0 else ""
        writer.writerow([row.name, f"{row.spend:.2f}", share, *row.meanings, PROPOSED if row.is_proposed else ""])
    return sink.getvalue()


def read(path: Path, allowed: Mapping[str, Sequence[str]]) -> dict[str, Category]:
    """The rows of the file, or of the seed, by name in lower case; as spreadsheets save it, with semicolons too.

    Args:
        allowed: segments by scheme, of schemes with a closed list.

    Raises:
        MeaningsError: a column is missing, a category is there twice, or a meaning is none of its scheme.
        LandingError: the file cannot be read.
    """
    rows = read_rows(path, find_dialect(path))
    header = [name.strip().lower() for name in next(rows, [])]
    missing = [name for name in SEED_COLUMNS if name not in header]
    if missing:
        raise MeaningsError(f"{path}: column {', '.join(missing)} is missing; its header is {','.join(COLUMNS)}")
    found: dict[str, Category] = {}
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise MeaningsError(f"{path}, row {number}: {len(row)} fields, and {len(header)} are needed")
        cells = dict(zip(header, (cell.strip() for cell in row), strict=True))
        name = cells["category"]
        if not name:
            continue
        if name.lower() in found:
            raise MeaningsError(f"{path}, row {number}: category {name} is there twice; leave one of its rows")
        for scheme in MEANINGS:
            value, known = cells[scheme], allowed.get(scheme, ())
            if value and known and value not in known:
                near = get_close_matches(value.lower(), known, n=1)
                raise MeaningsError(
                    f"{path}, row {number}, column {scheme}: {value} is none of {', '.join(known)}"
                    + (f" (did you mean {near[0]}?)" if near else "")
                )
        meanings = (cells[MEANINGS[0]], cells[MEANINGS[1]], cells[MEANINGS[2]])
        found[name.lower()] = Category(name, meanings=meanings, is_proposed=bool(cells.get(PROPOSED)))
    return found


def as_seed(decided: Mapping[str, Category], written: Mapping[str, Category]) -> str:
    """The seed category_meanings: what held, with the answers of the file in their places.

    A row that is still marked changes nothing; one whose cells were emptied takes the category out.
    """
    held = dict(decided) | {key: row for key, row in written.items() if not row.is_proposed}
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(SEED_COLUMNS)
    writer.writerows([row.name, *row.meanings] for _, row in sorted(held.items()) if any(row.meanings))
    return sink.getvalue()
