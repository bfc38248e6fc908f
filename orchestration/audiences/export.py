"""The audiences as files that other systems and people open: a CSV and a parquet file a channel, and what changed.

Belongs here: the folder `audiences/` of a version: `<channel>.csv`, `<channel>.parquet`, `difference.csv` (against the
last published export) and `summary.json` (rows sent and dropped by reason).
Does not belong here: who is addressed (models/marts/treatments/).

The same audiences make the same files, byte for byte. A cell of a CSV that a spreadsheet would take for a formula
begins with an apostrophe; the parquet files hold every value as it is.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from orchestration import memory
from orchestration.settings import Settings
from orchestration.storage.versions import AUDIENCES_FOLDER as FOLDER
from orchestration.storage.versions import DATABASE_NAME, SUMMARY_NAME

DIFFERENCE_NAME = "difference.csv"
COLUMNS = (
    "channel",
    "member_id",
    "treatment_id",
    "scheme",
    "segment",
    "message",
    "offer",
    "offer_item",
    "evidence",
    "send_on",
    "priority",
    "reason",
)
KEY = ("channel", "member_id", "treatment_id")
# What spreadsheets take for the start of a formula, in their own and in full width, and what they skip before looking.
_FORMULA = re.compile(r"^[\s\x00\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]")
SENT = "sent"
UNREAD = (
    "audiences: {rows} rows are not exported, because nobody has said that they have read the texts of the treatments. "
    "Read them (seed treatments; copy the file into SEEDS_DIR and make them yours), then write who has, in "
    "reviewed_treatments.csv of SEEDS_DIR: a header `reviewed_by,reviewed_on` and one line such as `Ada Example,{day}`."
)


@dataclass(frozen=True)
class Export:
    """What an export holds: rows by channel, decisions by outcome, and keys that came and went since the last one.

    `withheld`: rows that are not in it, because nobody has read the texts that they would send.
    """

    sent: dict[str, int]
    outcomes: dict[str, int]
    added: int
    removed: int
    withheld: int = 0

    @property
    def rows(self) -> int:
        """Rows in all channels together."""
        return sum(self.sent.values())

    @property
    def dropped(self) -> dict[str, int]:
        """Decisions that were not to send, by reason."""
        return {outcome: n for outcome, n in self.outcomes.items() if outcome != SENT}


def safe_cell(value: Any) -> str:
    """A value as a CSV cell that no spreadsheet runs: an apostrophe goes before what looks like a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if _FORMULA.match(text) else text


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A CSV with a header, every cell in quotes."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return out.getvalue()


def file_stem(channel: str) -> str:
    """A channel as a file name; one that is not made of letters, digits, `-` and `_` gets a name from its digest."""
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]*", channel) and channel != Path(DIFFERENCE_NAME).stem:
        return channel
    return f"channel_{hashlib.sha256(channel.encode()).hexdigest()[:12]}"


def unread(rows: int, as_of: date | None) -> str:
    """What is said where rows are withheld: why, and how they are let go."""
    return UNREAD.format(rows=rows, day=as_of.isoformat() if as_of else "2026-01-31")


def write_export(candidate: Path, previous: Path | None, is_demo: bool, is_reviewed: bool = True) -> Export:
    """Write `audiences/` into a candidate's folder, from the candidate's own tables.

    Args:
        candidate: a folder with the audited database.
        previous: the folder of the version that is published now, to compare with; None before the first.
        is_demo: whether the demo data is described.
        is_reviewed: whether somebody has read the treatments' texts (seed reviewed_treatments); no row is written
            where nobody has.
    """
    folder = candidate / FOLDER
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    with memory.connect(candidate / DATABASE_NAME, read_only=True) as con:
        columns = ", ".join(COLUMNS)
        table = con.execute(f"select {columns} from audiences order by {', '.join(KEY)}").to_arrow_table()
        outcomes = dict(
            con.execute("select outcome, count(*) from audience_decisions group by all order by 1").fetchall()
        )
        as_of = con.execute("select max(as_of) from customer_segments").fetchall()[0][0]
    withheld = 0 if is_reviewed else table.num_rows
    table = table if is_reviewed else table.slice(0, 0)
    channels = table.column("channel").to_pylist()
    sent = dict(sorted(Counter(channels).items()))
    start = 0
    for channel, rows in sent.items():
        part = table.slice(start, rows)
        start += rows
        stem = file_stem(channel)
        pq.write_table(part, folder / f"{stem}.parquet", compression="zstd")
        records = zip(*(part.column(name).to_pylist() for name in COLUMNS), strict=True)
        (folder / f"{stem}.csv").write_text(csv_text(COLUMNS, records), encoding="utf-8", newline="")
    keys = set(zip(*(table.column(name).to_pylist() for name in KEY), strict=True))
    before = exported_keys(previous) if previous is not None else set()
    added, removed = sorted(keys - before), sorted(before - keys)
    changes = [("added", *key) for key in added] + [("removed", *key) for key in removed]
    (folder / DIFFERENCE_NAME).write_text(csv_text(("change", *KEY), changes), encoding="utf-8", newline="")
    export = Export(sent, outcomes, len(added), len(removed), withheld)
    summary: Mapping[str, Any] = {
        "as_of": as_of.isoformat() if as_of else None,
        "is_demo": is_demo,
        "sent": export.rows,
        "sent_by_channel": export.sent,
        "dropped_by_reason": export.dropped,
        "withheld": withheld,
        "why_withheld": unread(withheld, as_of) if withheld else None,
        "compared_with": previous.name if previous is not None else None,
        "added": export.added,
        "removed": export.removed,
    }
    (folder / SUMMARY_NAME).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return export


def exported_keys(version: Path) -> set[tuple[str, str, str]]:
    """(channel, member, treatment) of each row of a version's export; empty where it has none."""
    keys: set[tuple[str, str, str]] = set()
    for path in sorted((version / FOLDER).glob("*.parquet")):
        table = pq.read_table(path, columns=list(KEY))
        keys.update(zip(*(table.column(name).to_pylist() for name in KEY), strict=True))
    return keys


def reads_demo(settings: Settings) -> bool:
    """Whether these settings describe the demo data, as the macro reads_demo says it to dbt."""
    return settings.source_dir == settings.demo_dir
