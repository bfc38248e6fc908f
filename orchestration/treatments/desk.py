"""`make treatments`: the treatments as a workbook, and back into the file that holds.

    make treatments                        writes the workbook (FILE=… elsewhere), with the published segments beside
    make treatments FROM=treatments.xlsx   takes it back, keeps the earlier file, and says what changed

What is wrong with a workbook is told by sheet, row and column, and nothing is changed. Exit code 0; 1 where the
workbook cannot be taken back; 2 where the settings cannot be used.

Belongs here: where the workbook is, what it replaces, and what is said of it.
Does not belong here: what a workbook looks like (workbook.py).
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import yaml

from orchestration.overrides import (
    TREATMENTS,
    WORKBOOK,
    WORKBOOK_NAME,
    edited_schemes,
    held_seeds,
    plain_seed,
    prepare_seeds,
    seeds_aside,
)
from orchestration.seeds.files import as_csv, dressed
from orchestration.seeds.treatments import (
    COLUMNS,
    EVERY_SEGMENT,
    UNKNOWN,
    Treatment,
    TreatmentsFileError,
    nearest,
    read_treatments,
    spell_out,
)
from orchestration.seeds.workbook import (
    Offered,
    Row,
    SchemeSheet,
    Shown,
    Workbook,
    digest,
    read_workbook,
    write_workbook,
)
from orchestration.settings import SHIPPED_SEEDS, Settings, SettingsError, read_settings
from orchestration.storage.files import write_atomically
from orchestration.storage.versions import demo_over_shop
from orchestration.treatments.edited import (
    NothingPublishedError,
    channels,
    edited_input,
    open_published,
    published_as_of,
)
from orchestration.treatments.inputs import CheckInput, Scheme

# Names of valid values that an error lists.
_LISTED = 12
_CHANGES_TOLD = 12
_IN_THE_CHECKOUT = "(In the checkout: with SEEDS_DIR=… yours are kept outside it, and an upgrade is a git pull.)"


# ---- what holds ------------------------------------------------------------------------------------------------------


def held_rows(settings: Settings) -> list[Row]:
    """The treatments that hold, as rows of texts, in the order of their file.

    Raises:
        SettingsError, TreatmentsFileError: the file that holds cannot be read.
    """
    prepare_seeds(settings)
    file = settings.seeds_dir / TREATMENTS
    # Its errors say where to look; a repeated id would be one row too few on the way back.
    read_treatments(file)
    return as_rows(plain_seed(file))


def as_rows(table: Sequence[Sequence[str]]) -> list[Row]:
    """Rows by column, of a table with a header; columns that are no treatment's are left out."""
    header, *rows = table
    blank = dict.fromkeys(COLUMNS, "")
    return [{**blank, **{name: cell for name, cell in zip(header, row, strict=True) if name in blank}} for row in rows]


def default_file(settings: Settings) -> Path:
    """Where the workbook is written: beside the treatments of SEEDS_DIR, by a name that is no seed's, else in the
    warehouse."""
    folder = settings.own_seeds_dir
    return folder / f"_{WORKBOOK_NAME}" if folder is not None else settings.warehouse_dir / WORKBOOK_NAME


# ---- out -------------------------------------------------------------------------------------------------------------


def write(settings: Settings, file: Path) -> str:
    """Write the workbook; returns what is to be said.

    A workbook that is there and says something else than the treatments that hold is kept under another name.

    Raises:
        TreatmentsFileError: the treatments cannot be written, or the workbook would become a second file of SEEDS_DIR.
    """
    if file.suffix.lower() != WORKBOOK:
        raise TreatmentsFileError(f"FILE={file}: the name of a workbook ends with {WORKBOOK}")
    rows = held_rows(settings)
    held = held_seeds(settings).get(TREATMENTS)
    if file.parent == settings.own_seeds_dir and file.name == WORKBOOK_NAME and held != file:
        raise TreatmentsFileError(
            f"FILE={file}: it would hold beside {TREATMENTS}; write it elsewhere, and take it back with FROM="
        )
    sheets, offered, source = _sheets(settings, rows)
    content = write_workbook(rows, sheets, offered, _read_me(settings, file, source))
    kept = _keep(file) if file.exists() and not _says(file, rows) else None
    write_atomically(file, content)
    schemes = {row["scheme"] for row in rows}
    lines = [f"{file}: {len(rows)} treatments of {len(schemes)} schemes, {source}"]
    if kept is not None:
        lines.append(f"{kept}: the workbook that was there, whose treatments were not those that hold")
    lines.append(f"Edit it, save it, and take it back: make treatments FROM={file}")
    return "\n".join(lines)


def _says(file: Path, rows: Sequence[Row]) -> bool:
    """Whether a workbook holds these treatments and nothing else."""
    try:
        return digest(read_workbook(file).rows) == digest(rows)
    except TreatmentsFileError:
        return False


def _sheets(settings: Settings, rows: Sequence[Row]) -> tuple[list[SchemeSheet], Offered, str]:
    """The sheets, what their lists offer, and the words for where the segments beside the treatments come from."""
    folder = settings.seeds_dir
    definitions = as_rows_of(folder / "segment_definitions.csv")
    schemes = as_rows_of(folder / "segment_schemes.csv")
    inputs: CheckInput | None = None
    spends: dict[tuple[str, str], float | None] = {}
    source = "without members and spend, as nothing is published yet"
    items: Collection[str] = ()
    try:
        with closing(open_published(settings)) as con:
            inputs = edited_input(folder, settings, con)
            found = con.execute("select scheme, segment, round(cast(spend as double), 2) from segments").fetchall()
            spends = {(scheme, segment): spend for scheme, segment, spend in found}
            items = inputs.items.names if inputs.items else ()
            source = f"with the segments as published, as of {published_as_of(settings)}"
    except NothingPublishedError:
        pass
    listed: dict[str, list[str]] = defaultdict(list)
    labels = {}
    for row in definitions:
        listed[row["scheme"]].append(row["segment"])
        labels[row["scheme"], row["segment"]] = row["label"]
    used = {row["scheme"] for row in rows}
    sheets = []
    for row in schemes:
        name, is_active = row["scheme"], row["is_active"].strip().lower() == "true"
        if not is_active and name not in used:
            continue
        scheme = inputs.schemes.get(name) if inputs is not None else None
        context: dict[str, Shown] = {}
        if scheme is not None:
            context = {
                segment: (scheme.labels[segment], scheme.members[segment], spends.get((name, segment)))
                for segment in scheme.labels
            }
        by_size = sorted(context, key=lambda segment: (-context[segment][1], segment))
        closed = [segment for segment in listed[name] if segment != EVERY_SEGMENT]
        served = _served(inputs, scheme, context) if inputs is not None and scheme is not None else {}
        written = [each["segment"] for each in rows if each["scheme"] == name]
        known = [*closed, *by_size, *written]
        segments = [segment for segment in dict.fromkeys(known) if segment not in (UNKNOWN, EVERY_SEGMENT)]
        sheets.append(
            SchemeSheet(
                scheme=name,
                segments=[*segments, UNKNOWN],
                is_open=row["is_data_driven"].strip().lower() == "true",
                is_active=is_active,
                description=row["description"],
                context=context,
                served=served,
                left_out=frozenset({UNKNOWN, *(scheme.excluded if scheme is not None else ())}),
            )
        )
    sheets.sort(key=lambda sheet: not sheet.is_active)
    offered = Offered(
        channels=channels(folder),
        service_levels=sorted({row["service_level"] for row in rows}),
        items=sorted(items),
        descriptions=_descriptions(folder),
    )
    return sheets, offered, source


def _served(inputs: CheckInput, scheme: Scheme, context: Mapping[str, Shown]) -> dict[str, Shown]:
    """Whom each `*` row of a scheme serves: how many segments, their members and their spend."""
    found: dict[str, list[Treatment]] = defaultdict(list)
    rows = inputs.rows_by_scheme.get(scheme.name, [])
    for row in spell_out(rows, scheme.is_data_driven, scheme.labels, scheme.excluded):
        if row.template_id != row.treatment_id:
            found[row.template_id].append(row)
    return {
        template: (
            f"({len(each)} segments without a row of their own)",
            sum(context[row.segment][1] for row in each),
            round(sum(context[row.segment][2] or 0 for row in each), 2),
        )
        for template, each in found.items()
    }


def as_rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of any seed by column."""
    header, *rows = plain_seed(path)
    return [dict(zip(header, row, strict=True)) for row in rows]


def _descriptions(folder: Path) -> dict[str, str]:
    """What each column holds, as treatments.yml says, and the columns that are shown beside."""
    found = yaml.safe_load((folder / "treatments.yml").read_text(encoding="utf-8"))["seeds"][0]["columns"]
    told = {column["name"]: " ".join(column["description"].split()) for column in found}
    beside = "From the published version; read over when the workbook is taken back."
    return {
        **told,
        "label": f"The segment's label. {beside}",
        "members": f"Members of the segment. {beside}",
        "spend": f"What they spent in the behaviour window. {beside}",
        "scheme": "The sheet's scheme; in a new row it may stay empty.",
    }


def _read_me(settings: Settings, file: Path, source: str) -> list[str]:
    return [
        "Treatments: what is done for each segment",
        "",
        f"Written {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {source}.",
        "",
        "A sheet is a scheme, a row is a treatment. White cells are yours; grey ones show the segment as it was last "
        "published, and are read over when the workbook comes back.",
        "A row with a segment and nothing else waits for a treatment: give it a treatment_id, a channel, a message and "
        "the three answers of positioning (value_proposition, proof, tone_of_voice).",
        "To take a treatment away, empty its row, or delete it (Review, Unprotect Sheet: there is no password). "
        "A scheme whose sheet you delete stays as it is.",
        "A treatment_id is never used again for another treatment: what was sent and measured hangs on it. A new text "
        "that is to be measured afresh is a new id.",
        "A second channel for a segment is a second row. `*` serves every segment of the data without a row of its "
        "own; {label} in its texts becomes the segment's label.",
        "Dates are dates (valid_from and valid_to are the first and the last day; past review_on, the treatment is "
        "named in the report). Everything else is text: a text may begin with = or +, and no formula is computed.",
        "Notes of your own belong on a sheet of your own, which is passed over.",
        "",
        "Back: save it, then",
        f"    make treatments FROM={file}",
        "It says what changed, keeps the earlier file, and changes nothing where a cell cannot be taken. "
        "Then: make check.",
    ]


# ---- back ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Changes:
    """What a workbook changes: ids that are added, changed (with the columns) and removed."""

    added: Sequence[str]
    changed: Mapping[str, Sequence[str]]
    removed: Sequence[str]

    def lines(self) -> list[str]:
        """A line for each treatment, of many the first."""
        told = [f"  added    {each}" for each in self.added]
        told += [f"  changed  {each}: {', '.join(columns)}" for each, columns in self.changed.items()]
        told += [f"  removed  {each}" for each in self.removed]
        rest = len(told) - _CHANGES_TOLD
        return told[:_CHANGES_TOLD] + ([f"  and {rest} more"] if rest > 0 else [])


def changes(before: Sequence[Row], after: Sequence[Row]) -> Changes:
    """The differences of two sets of treatments, by treatment_id."""
    old, new = ({row["treatment_id"]: row for row in rows} for rows in (before, after))
    return Changes(
        added=[each for each in new if each not in old],
        changed={
            each: [column for column in COLUMNS if row[column] != old[each][column]]
            for each, row in new.items()
            if each in old and row != old[each]
        },
        removed=[each for each in old if each not in new],
    )


def take_back(settings: Settings, file: Path) -> str:
    """Take a workbook's treatments into the file that holds; returns what is to be said.

    A scheme without a sheet, or with one in which nothing was changed, stays as it is; rows keep their place in the
    file.

    Raises:
        TreatmentsFileError: the workbook cannot be taken; nothing is changed then.
    """
    before = held_rows(settings)
    schemes = {row["scheme"]: row for row in as_rows_of(settings.seeds_dir / "segment_schemes.csv")}
    whole = read_workbook(file, schemes)
    book = without_untouched(whole)
    problems = [*_changed_meanwhile(book, before), *_unknown_values(settings, book, before, schemes)]
    if problems:
        raise TreatmentsFileError("\n".join(problems))
    after = merged(before, book)
    found = changes(before, after)
    if after == before:
        return f"{file.name}: says nothing that does not hold already; nothing is changed"
    kept = _store(settings, after, file)
    absent = sorted({row["scheme"] for row in before} - whole.schemes)
    return "\n".join(
        [
            f"{file.name}: {len(found.added)} treatments added, {len(found.changed)} changed, "
            f"{len(found.removed)} removed",
            *found.lines(),
            *([f"Without a sheet, and as they were: {', '.join(absent)}"] if absent else []),
            *kept,
            *([] if settings.own_seeds_dir is not None else [_IN_THE_CHECKOUT]),
            "Next: make check shows which segments are told apart now, and whom each treatment reaches.",
        ]
    )


def without_untouched(book: Workbook) -> Workbook:
    """A workbook without the sheets in which nothing was changed since it was written: what they show may be old."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in book.rows:
        rows[row["scheme"]].append(row)
    same = {scheme for scheme in book.schemes if book.noted.get(scheme) == digest(rows[scheme])}
    kept = [place for place, row in enumerate(book.rows) if row["scheme"] not in same]
    return Workbook(
        [book.rows[place] for place in kept], [book.places[place] for place in kept], book.schemes - same, book.noted
    )


def merged(before: Sequence[Row], book: Workbook) -> list[Row]:
    """The treatments after a workbook has been taken back, in the order of those that were there.

    Of schemes with a sheet, its rows; of the others, those that were there, with rows of the same id in their places.
    """
    new = {row["treatment_id"]: row for row in book.rows}
    kept = [
        new.pop(row["treatment_id"], row)
        for row in before
        if row["treatment_id"] in new or row["scheme"] not in book.schemes
    ]
    for row in new.values():
        # After the last of its scheme, so that the file's difference is one line where it belongs.
        last = max((place for place, each in enumerate(kept) if each["scheme"] == row["scheme"]), default=len(kept) - 1)
        kept.insert(last + 1, row)
    return kept


def _changed_meanwhile(book: Workbook, before: Sequence[Row]) -> Iterable[str]:
    """Schemes whose treatments were changed after the workbook was written, and in the workbook to something else."""
    for scheme, sha in book.noted.items():
        held = [row for row in before if row["scheme"] == scheme]
        written = [row for row in book.rows if row["scheme"] == scheme]
        if scheme in book.schemes and digest(held) not in (sha, digest(written)):
            yield (
                f"scheme {scheme}: its treatments were changed after the workbook was written, and would be lost; "
                "write a new one (make treatments FILE=…), and carry your changes over"
            )


def _unknown_values(
    settings: Settings, book: Workbook, before: Sequence[Row], schemes: Mapping[str, Mapping[str, str]]
) -> Iterable[str]:
    """Values that there are not, of rows that are new or changed: what holds already is the check's to judge."""
    held = {row["treatment_id"]: row for row in before}
    segments: dict[str, set[str]] = defaultdict(set)
    for row in as_rows_of(settings.seeds_dir / "segment_definitions.csv"):
        segments[row["scheme"]].add(row["segment"])
    known_channels = channels(settings.seeds_dir)
    for index, row in enumerate(book.rows):
        if held.get(row["treatment_id"]) == row:
            continue
        other = held.get(row["treatment_id"], row)["scheme"]
        if other not in {row["scheme"], *book.schemes}:
            yield (
                f"{book.place(index, 'treatment_id')}: {row['treatment_id']} is a treatment of scheme {other}; write "
                "an id that no treatment has had before"
            )
        scheme = schemes.get(row["scheme"])
        if scheme is None:
            yield f"{book.place(index, 'scheme')}: {_none_of(row['scheme'], 'the schemes', schemes)}"
            continue
        is_open = scheme["is_data_driven"].strip().lower() == "true"
        own = segments[row["scheme"]] - {EVERY_SEGMENT}
        if not is_open and row["segment"] not in {*own, UNKNOWN}:
            yield f"{book.place(index, 'segment')}: {_none_of(row['segment'], 'the segments of ' + row['scheme'], own)}"
        elif not row["segment"].strip():
            yield f"{book.place(index, 'segment')}: is empty; write a segment, or {EVERY_SEGMENT} for all without a row"
        if row["channel"].strip() and row["channel"] not in known_channels:
            yield f"{book.place(index, 'channel')}: {_none_of(row['channel'], 'the channels', known_channels)}"
        if row["valid_from"] and row["valid_to"] and row["valid_to"] < row["valid_from"]:
            yield f"{book.place(index, 'valid_to')}: {row['valid_to']} is before valid_from, {row['valid_from']}"


def _none_of(value: str, what: str, known: Collection[str]) -> str:
    listed = list(known)
    rest = len(listed) - _LISTED
    names = ", ".join(listed[:_LISTED]) + (f" and {rest} more" if rest > 0 else "")
    return f"{value or '(empty)'} is none of {what}{nearest(value, known)}; they are {names}"


def _store(settings: Settings, after: Sequence[Row], source: Path) -> list[str]:
    """Write the treatments where they hold, and keep the files that were there; returns lines that name both.

    What holds afterwards is read again: where that is not what the workbook says, the files are put back.

    Raises:
        TreatmentsFileError: a file cannot be written, or what is written would not hold.
    """
    earlier: dict[Path, bytes | None] = {}
    lines: list[str] = []
    try:
        for path, rows in _homes(settings, after).items():
            earlier[path] = path.read_bytes() if path.exists() else None
            if path.suffix.lower() == WORKBOOK:
                sheets, offered, told = _sheets(settings, rows)
                content = write_workbook(rows, sheets, offered, _read_me(settings, path, told))
            else:
                content = _as_file(path, rows).encode()
            if content == earlier[path]:
                continue
            kept = _keep(path) if path.exists() else None
            write_atomically(path, content)
            lines.append(f"{path}: written" + (f"; the earlier file is {kept.name}" if kept is not None else ""))
        now = replace(settings, are_seeds_plain=not dressed(SHIPPED_SEEDS))
        if sorted(map(_key, held_rows(now))) != sorted(map(_key, after)):
            raise TreatmentsFileError(
                f"{source.name}: what was written would not hold as it stands; nothing is changed"
            )
    except (OSError, TreatmentsFileError, SettingsError) as error:
        for path, content_before in earlier.items():
            if content_before is None:
                path.unlink(missing_ok=True)
            elif path.read_bytes() != content_before:
                write_atomically(path, content_before)
        prepare_seeds(settings)
        if isinstance(error, OSError):
            raise TreatmentsFileError(f"{error.filename}: cannot be written ({error.strerror})") from None
        raise
    return lines


def _key(row: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(row.items())


def _homes(settings: Settings, rows: Sequence[Row]) -> dict[Path, list[Row]]:
    """The files that hold the treatments, each with its rows.

    One of SEEDS_DIR where it is set; else the checkout's, where a demo keeps those of its schemes, but for schemes that
    were edited in seeds/.
    """
    if settings.own_seeds_dir is not None:
        held = held_seeds(settings).get(TREATMENTS)
        own = (
            held if held is not None and held.parent == settings.own_seeds_dir else settings.own_seeds_dir / TREATMENTS
        )
        return {own: list(rows)}
    shipped, demo = SHIPPED_SEEDS / TREATMENTS, held_seeds(settings).get(TREATMENTS)
    if demo is None:
        return {shipped: list(rows)}
    edited = edited_schemes(as_csv(plain_seed(shipped)))
    of_demo = {row["scheme"] for row in as_rows(plain_seed(demo))} - edited
    others = [row for row in as_rows(plain_seed(shipped)) if row["scheme"] in of_demo]
    return {
        demo: [row for row in as_rows(plain_seed(demo)) if row["scheme"] in edited]
        + [row for row in rows if row["scheme"] in of_demo],
        shipped: others + [row for row in rows if row["scheme"] not in of_demo],
    }


def _as_file(path: Path, rows: Sequence[Row]) -> str:
    """Rows as the text of a CSV file, in the order of the one that is there, with its columns beyond a treatment's."""
    table = plain_seed(path, COLUMNS) if path.exists() else [list(COLUMNS)]
    header = [*table[0], *(column for column in COLUMNS if column not in table[0])]
    more = {row["treatment_id"]: row for row in (dict(zip(table[0], cells, strict=True)) for cells in table[1:])}
    order = {treatment_id: place for place, treatment_id in enumerate(more)}
    placed: list[tuple[int, Row]] = []
    last = -1
    for row in rows:
        last = order.get(row["treatment_id"], last)
        placed.append((last, row))
    placed.sort(key=lambda each: each[0])
    return as_csv(
        [
            header,
            *([{**more.get(row["treatment_id"], {}), **row}.get(column, "") for column in header] for _, row in placed),
        ]
    )


def _keep(path: Path) -> Path:
    """A copy of a file beside it, by a name that no other copy has."""
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    for number in range(1, 1000):
        copy = path.with_name(f"{path.name}.{stamp}{'' if number == 1 else f'-{number}'}.bak")
        try:
            with copy.open("xb") as file:
                file.write(path.read_bytes())
        except FileExistsError:
            continue
        return copy
    raise TreatmentsFileError(f"{path}: too many copies of it were kept in this second")


def main(environ: Mapping[str, str] | None = None) -> int:
    """See above."""
    values = os.environ if environ is None else environ
    file, source = (values.get(name, "").strip() for name in ("FILE", "FROM"))
    try:
        settings = read_settings(environ)
        if file and source:
            raise SettingsError("FILE and FROM are both set: FILE= writes a workbook, FROM= takes one back")
        other = demo_over_shop(settings)
        if other is not None:
            print(other, file=sys.stderr)
        with seeds_aside(settings) as aside:
            if source:
                print(take_back(aside, Path(source).expanduser().resolve()))
            else:
                print(write(aside, Path(file).expanduser().resolve() if file else default_file(aside)))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except TreatmentsFileError as error:
        print(f"make treatments: nothing is changed\n{error}", file=sys.stderr)
        return 1
    return 0
