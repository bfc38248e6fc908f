"""Treatments as rows: read from the file that a marketer edits, or from a database; `*` rows spelled out.

Belongs here: the shape of a row, errors of the file's shape, filling in `{label}`.
Does not belong here: what a treatment must say (check.py) and how two compare (compare.py).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from orchestration.seeds.wordings import canonical

POSITIONING = ("value_proposition", "proof", "tone_of_voice")
DECISION_JOURNEY = ("channel", "message", "offer", "offer_item")
CONSUMPTION_JOURNEY = ("product_adaptation", "service_level")
NOTICED = DECISION_JOURNEY + CONSUMPTION_JOURNEY
VALIDITY = ("valid_from", "valid_to")
DATES = (*VALIDITY, "review_on")
COLUMNS = (
    "treatment_id",
    "scheme",
    "segment",
    *POSITIONING,
    "channel",
    "message",
    "offer",
    "offer_item",
    *CONSUMPTION_JOURNEY,
    *VALIDITY,
    "owner",
    "review_on",
)
# Columns that a file may lack: one that was written before there was such a column.
LATER_COLUMNS = ("review_on",)
# Columns in whose text `{label}` stands for the segment's label.
TEXTS = (*POSITIONING, "message", "offer", "offer_item", *CONSUMPTION_JOURNEY)
EVERY_SEGMENT = "*"
UNKNOWN = "unknown"
LABEL = "{label}"
# Blanks at its ends, and those that no eye tells from others anywhere, make another id of a treatment_id.
_BLANKS_IN_ID = re.compile("^\\s|\\s$|[\u00a0\u2007\u200b\u202f\u2060\ufeff]")
# Seeds that name treatments by their id.
NAMING_TREATMENTS = ("uniform_treatments.csv", "treatment_shares.csv", "template_subsets.csv")
TREATMENT_ROWS_TABLE = "treatment_rows"


class TreatmentsFileError(ValueError):
    """A seed file cannot be read as a table; the text names file, line (1 is the header) and column."""


@dataclass(frozen=True)
class Treatment:
    """One treatment. Texts are as written; an empty cell is ''. Dates are inclusive; None is open.

    `review_on` is the day by which somebody should have looked at it again.
    `template_id` is the treatment_id of the row as written; `line` its line in the file (1 is the header), where known;
    `place` where the marketer wrote it, in words, where that is another file.
    `subset` are the patterns of the labels that a `*` row serves (seed template_subsets); without any, it serves all
    that are left.
    `labelled` are the columns whose text held `{label}` before it was filled in.
    """

    treatment_id: str
    scheme: str
    segment: str
    value_proposition: str = ""
    proof: str = ""
    tone_of_voice: str = ""
    channel: str = ""
    message: str = ""
    offer: str = ""
    offer_item: str = ""
    product_adaptation: str = ""
    service_level: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    owner: str = ""
    review_on: date | None = None
    template_id: str = ""
    place: str = ""
    subset: tuple[str, ...] = ()
    labelled: frozenset[str] = frozenset()
    line: int | None = None

    def text(self, column: str) -> str:
        """The text of a column; '' where empty."""
        value = getattr(self, column)
        return value if isinstance(value, str) else ("" if value is None else str(value))

    def is_valid_on(self, day: date) -> bool:
        """Whether the treatment runs on that day, both ends included."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)

    def is_review_due(self, day: date) -> bool:
        """Whether somebody should have looked at it before that day; of what has ended, nobody needs to."""
        return self.review_on is not None and self.review_on < day and (self.valid_to is None or day <= self.valid_to)


def nearest(name: str, known: Collection[str]) -> str:
    """A hint at the known name that was probably meant; '' where none is near."""
    from rapidfuzz import process

    match = process.extractOne(name, sorted(known), score_cutoff=60, processor=canonical)
    return f" (did you mean {match[0]}?)" if match else ""


def read_table(path: Path, columns: Sequence[str], later: Sequence[str] = ()) -> list[tuple[int, dict[str, str]]]:
    """The rows of a comma-separated UTF-8 file with a header, each with the line it starts on.

    Columns beyond those asked for (a marketer's notes) are read over; those `later` may be
    missing, and are empty then. Names must be exact, as dbt takes them.

    Raises:
        TreatmentsFileError: no such file, not UTF-8, a column missing or there twice, a row too short or too long.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TreatmentsFileError(f"{path.name}: cannot be read ({error.strerror})") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise TreatmentsFileError(f"{path.name}, line {line}: not UTF-8; save the file as CSV UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    line = 1
    try:
        header = next(reader, [])
        _check_header(path.name, header, columns, later)
        line = reader.line_num + 1
        for cells in reader:
            if len(cells) not in (0, len(header)):
                column = header[len(cells)] if len(cells) < len(header) else f"beyond {header[-1]}"
                raise TreatmentsFileError(
                    f"{path.name}, line {line}, column {column}: {len(cells)} cells instead of {len(header)}; "
                    'a text with a comma must stand in "quotation marks"'
                )
            if any(cell.strip() for cell in cells):
                rows.append((line, {**dict.fromkeys(later, ""), **dict(zip(header, cells, strict=True))}))
            line = reader.line_num + 1
    except csv.Error as error:
        raise TreatmentsFileError(f"{path.name}, line {line}: {error}; check the quotation marks") from error
    return rows


def _check_header(file: str, header: Sequence[str], columns: Sequence[str], later: Sequence[str]) -> None:
    missing = [column for column in columns if column not in (*header, *later)]
    unknown = [name for name in header if name and name not in columns]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if len(header) == 1 and re.search(r"[;\t|]", header[0]):
        raise TreatmentsFileError(f"{file}, line 1: the columns must be parted by commas")
    if missing:
        hint = f"; it has {', '.join(map(repr, unknown))}, which is not known" if unknown else ""
        raise TreatmentsFileError(f"{file}, line 1: column {', '.join(missing)} is missing{hint}")
    if twice:
        raise TreatmentsFileError(f"{file}, line 1: column {', '.join(twice)} is there twice")


def read_treatments(path: Path) -> list[Treatment]:
    """The treatments of a file, as written. Call it before dbt loads the seed: its errors say where to look.

    Raises:
        TreatmentsFileError: what `read_table` refuses, a date that is none, an empty or repeated treatment_id, or one
            with a blank that nobody sees.
    """
    treatments = [_from_cells(path.name, line, cells) for line, cells in read_table(path, COLUMNS, LATER_COLUMNS)]
    first_line: dict[str, int | None] = {}
    for treatment in treatments:
        where = f"{path.name}, line {treatment.line}, column treatment_id"
        if not treatment.treatment_id.strip():
            raise TreatmentsFileError(f"{where}: is empty")
        if blank_in_id(treatment.treatment_id):
            raise TreatmentsFileError(f"{where}: {blank_in_id(treatment.treatment_id)}")
        if treatment.treatment_id in first_line:
            earlier = first_line[treatment.treatment_id]
            raise TreatmentsFileError(f"{where}: {treatment.treatment_id} is already the id of line {earlier}")
        first_line[treatment.treatment_id] = treatment.line
    return treatments


def check_named_treatments(seeds_dir: Path) -> None:
    """Look at the ids by which other seeds of a folder name treatments.

    Raises:
        TreatmentsFileError: what `read_table` refuses, or a treatment_id with a blank that nobody sees.
    """
    for path in (seeds_dir / name for name in NAMING_TREATMENTS):
        for line, cells in read_table(path, ("treatment_id",)) if path.is_file() else ():
            if blank_in_id(cells["treatment_id"]):
                where = f"{path.name}, line {line}, column treatment_id"
                raise TreatmentsFileError(f"{where}: {blank_in_id(cells['treatment_id'])}")


def blank_in_id(treatment_id: str) -> str:
    """What is wrong with a treatment_id that has a blank which nobody sees; '' where it has none."""
    if not _BLANKS_IN_ID.search(treatment_id):
        return ""
    return (
        f"{treatment_id!a} has a blank at an end, or a no-break space; take it out: the id would be another one, and "
        "who is treated would be drawn anew"
    )


def _from_cells(file: str, line: int, cells: Mapping[str, str]) -> Treatment:
    values: dict[str, Any] = {column: cells[column] for column in COLUMNS if column not in DATES}
    labelled = _labelled(values)
    values.update({column: _parse_date(file, line, column, cells[column]) for column in DATES})
    return Treatment(template_id=cells["treatment_id"], labelled=labelled, line=line, **values)


def _parse_date(file: str, line: int, column: str, cell: str) -> date | None:
    if not cell:
        return None
    try:
        # Only YYYY-MM-DD: what else Python reads (20260131, 2026-W05-6), other readers of the file do not.
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell, re.ASCII):
            raise ValueError(cell)
        return date.fromisoformat(cell)
    except ValueError as error:
        raise TreatmentsFileError(
            f"{file}, line {line}, column {column}: {cell!r} is not a date such as 2026-11-30"
        ) from error


def _labelled(texts: Mapping[str, str]) -> frozenset[str]:
    return frozenset(column for column in TEXTS if LABEL in texts.get(column, ""))


def from_records(records: Iterable[Mapping[str, Any]]) -> list[Treatment]:
    """Treatments from database rows (the columns of the seed, or of the published table); null is empty."""
    treatments = []
    for record in records:
        texts: dict[str, Any] = {column: record[column] or "" for column in COLUMNS if column not in DATES}
        treatments.append(
            Treatment(
                **texts,
                valid_from=record["valid_from"],
                valid_to=record["valid_to"],
                review_on=record.get("review_on"),
                template_id=record.get("template_id") or texts["treatment_id"],
                labelled=_labelled(texts),
            )
        )
    return treatments


def spell_out(
    rows: Iterable[Treatment], data_driven: bool, labels: Mapping[str, str], excluded: Collection[str] = ()
) -> list[Treatment]:
    """The treatments of one scheme with `*` rows spelled out for each segment without a row of its own.

    A `*` row with a subset serves the segments whose labels match it, and the others leave those to it.

    Args:
        rows: the scheme's treatments as written.
        data_driven: whether the scheme's segments come from the data; elsewhere `*` serves nobody.
        labels: label by segment, of the segments with members.
        excluded: segments made of excluded items, which no `*` row serves.
    """
    rows = list(rows)
    own = {row.segment for row in rows}
    left = sorted(segment for segment in labels if segment not in own and segment not in {UNKNOWN, *excluded})
    templates = [row for row in rows if data_driven and row.segment == EVERY_SEGMENT]
    named = {
        row.treatment_id: [segment for segment in left if matches(labels[segment], row.subset)]
        for row in templates
        if row.subset
    }
    taken = {segment for segments in named.values() for segment in segments}
    rest = [segment for segment in left if segment not in taken]
    spelled: list[Treatment] = []
    for row in rows:
        served = named.get(row.treatment_id, rest) if row in templates else []
        spelled += [_fill_in(row, segment, labels[segment]) for segment in served] or [row]
    return spelled


def matches(label: str, patterns: Iterable[str]) -> bool:
    """Whether a label matches one of some SQL LIKE patterns, in any case."""
    signs = {"%": ".*", "_": "."}
    return any(
        re.fullmatch("".join(signs.get(sign, re.escape(sign)) for sign in pattern.lower()), label.lower(), re.DOTALL)
        for pattern in patterns
    )


def with_subsets(rows: Iterable[Treatment], subsets: Iterable[tuple[str, str]]) -> list[Treatment]:
    """The treatments with their patterns of seed template_subsets, which are (treatment_id, pattern)."""
    patterns: dict[str, list[str]] = {}
    for treatment_id, pattern in subsets:
        patterns.setdefault(treatment_id, []).append(pattern)
    return [replace(row, subset=tuple(sorted(patterns.get(row.treatment_id, ())))) for row in rows]


def _fill_in(row: Treatment, segment: str, label: str) -> Treatment:
    filled: dict[str, Any] = {column: row.text(column).replace(LABEL, label) for column in TEXTS}
    return replace(row, treatment_id=f"{row.treatment_id}_{segment}", segment=segment, **filled)
