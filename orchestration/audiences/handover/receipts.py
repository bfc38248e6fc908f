"""Receipts: what a sender says it has sent, taken back into the landing zone as touchpoints and responses.

Belongs here: the format, telling what can be used from what cannot, the files in the landing zone.
Does not belong here: what becomes of touchpoints (models/staging/, docs/landing.md).

A receipt needs touchpoint_id, sent_at and, where it is not `sent`, status. Who was meant, by what treatment and on
which channel is known from the hand-over: so a sender need not repeat it, and cannot get it wrong.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.audiences.handover.lists import STATE_NAME, read_ledger
from orchestration.audiences.handover.target import Target, TargetError
from orchestration.settings import Settings, SettingsError
from orchestration.storage.files import write_atomically

COLUMNS = ("touchpoint_id", "sent_at", "status", "message_id", "campaign_id", "campaign_type", "cost", "amount")
REQUIRED = ("touchpoint_id", "sent_at")
# What a status lands as. Whatever else a sender says is refused and named.
TOUCHED = ("sent", "delivered")
RESPONDED = {
    "opened": "open",
    "clicked": "click",
    "redeemed": "redeem",
    "purchased": "purchase",
    "unsubscribed": "unsubscribe",
}
NOT_SENT = ("failed", "bounced", "suppressed", "skipped")
PREFIX = "receipts_"
TOUCHPOINT_COLUMNS = (
    "touchpoint_id",
    "customer_id",
    "touched_at",
    "channel",
    "treatment_id",
    "message_id",
    "campaign_id",
    "campaign_type",
    "cost",
)
RESPONSE_COLUMNS = ("response_id", "customer_id", "responded_at", "kind", "touchpoint_id", "campaign_id", "amount")


@dataclass
class Taken:
    """What became of receipts: rows landed as touchpoints and responses, known before, not sent, and refused by reason.

    `files`: what was written, relative to the landing zone.
    """

    touchpoints: int = 0
    responses: int = 0
    known: int = 0
    not_sent: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    files: list[str] = field(default_factory=list)


def read_csv(data: bytes, name: str) -> pa.Table:
    """Rows of a CSV file as texts; comma or semicolon.

    Raises:
        TargetError: a required column is missing, or the file is not in UTF-8.
    """
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TargetError(f"receipts {name}: it is not in UTF-8") from None
    first = content.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(content), delimiter=";" if first.count(";") > first.count(",") else ",")
    header = {(column or "").strip().lower(): column for column in reader.fieldnames or []}
    rows = [{column: row.get(header[column]) for column in COLUMNS if column in header} for row in reader]
    return _as_texts(rows, set(header), name)


def read_parquet(data: bytes, name: str) -> pa.Table:
    """The same of a Parquet file."""
    table = pq.read_table(io.BytesIO(data))
    return _as_texts(table.to_pylist(), set(table.column_names), name)


def _as_texts(rows: list[dict[str, Any]], found: set[str], name: str) -> pa.Table:
    missing = [column for column in REQUIRED if column not in found]
    if missing:
        raise TargetError(f"receipts {name}: column {', '.join(missing)} is missing (docs/hand-over.md)")
    return pa.table({c: pa.array([_text(row.get(c)) for row in rows], pa.string()) for c in COLUMNS})


def _text(value: Any) -> str | None:
    if value is None or not str(value).strip():
        return None
    # As a spreadsheet writes what our CSV guards.
    return value.isoformat() if isinstance(value, datetime) else str(value).strip().removeprefix("'")


def take_receipts(settings: Settings, targets: Iterable[Target]) -> Taken:
    """Land what the targets' senders have left, in `$LANDING_DIR/touchpoints` and `responses`; each receipt once.

    Raises:
        SettingsError: there is no landing zone of the user's to land them in.
        TargetError: receipts cannot be read.
    """
    if settings.mapping_file is not None:
        raise SettingsError("receipts land in a landing zone, and MAPPING has none (docs/hand-over.md)")
    if settings.landing_dir is None:
        raise SettingsError("LANDING_DIR is not set: receipts land in a landing zone of yours")
    taken = Taken()
    handed = {row["touchpoint_id"]: row for row in read_ledger(settings.state_dir / STATE_NAME)}
    known = {
        table: _landed(settings.landing_dir / table, column)
        for table, column in (("touchpoints", "touchpoint_id"), ("responses", "response_id"))
    }
    new: dict[str, dict[str, dict[str, Any]]] = {"touchpoints": {}, "responses": {}}
    for target in targets:
        for name, table in target.receipts():
            for receipt in table.to_pylist():
                _take(receipt, name, handed, known, new, taken)
    for table, columns in (("touchpoints", TOUCHPOINT_COLUMNS), ("responses", RESPONSE_COLUMNS)):
        if new[table]:
            rows = [new[table][key] for key in sorted(new[table])]
            taken.files.append(_land(settings.landing_dir, table, columns, rows))
    taken.touchpoints, taken.responses = len(new["touchpoints"]), len(new["responses"])
    return taken


def _take(
    receipt: dict[str, Any],
    name: str,
    handed: dict[str, dict[str, Any]],
    known: dict[str, set[str]],
    new: dict[str, dict[str, dict[str, Any]]],
    taken: Taken,
) -> None:
    meant = handed.get(receipt["touchpoint_id"] or "")
    status = (receipt["status"] or "sent").lower()
    if meant is None:
        taken.refused[f"{name}: a touchpoint_id that was never handed over"] += 1
        return
    if status in NOT_SENT:
        taken.not_sent += 1
        return
    if status not in TOUCHED and status not in RESPONDED:
        said = ", ".join([*TOUCHED, *RESPONDED, *NOT_SENT])
        taken.refused[f"{name}: status {status[:30]!r} is none of {said}"] += 1
        return
    at = _as_landed(receipt["sent_at"] or "")
    if at is None:
        taken.refused[f"{name}: a sent_at that is no ISO time such as 2026-11-01T09:30:00Z"] += 1
        return
    touch = receipt["touchpoint_id"]
    rest = {key: receipt[key] for key in ("campaign_id", "campaign_type", "message_id", "cost", "amount")}
    row = rest | {"touchpoint_id": touch, "customer_id": meant["member_id"], "touched_at": at, "responded_at": at}
    if status in TOUCHED:
        table, key = "touchpoints", touch
        row |= {"channel": meant["channel"], "treatment_id": meant["treatment_id"]}
    else:
        table, key = "responses", f"{touch}-{status}"
        row |= {"response_id": key, "kind": RESPONDED[status]}
    if key in known[table] or key in new[table]:
        # `sent`, then `delivered`: one touch. The first that was taken counts.
        taken.known += 1
    else:
        new[table][key] = row


def _as_landed(text: str) -> str | None:
    """A time in any form of ISO in the one that staging reads, a date without a time as a date; None for neither."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    offset = at.utcoffset() or timedelta()
    # No clock is so far from UTC, and staging reads no such offset.
    if offset % timedelta(minutes=1) or abs(offset) >= timedelta(hours=16):
        return None
    return at.isoformat().replace("+00:00", "Z")


def _landed(folder: Path, column: str) -> set[str]:
    """Ids that earlier receipts have landed."""
    found: set[str] = set()
    for path in sorted(folder.glob(f"{PREFIX}*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found |= {row[column] for row in csv.DictReader(file)}
    return found


def _land(landing_dir: Path, table: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> str:
    """A new file of the landing zone, named by what is in it."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    data = out.getvalue().encode()
    relative = f"{table}/{PREFIX}{hashlib.sha256(data).hexdigest()[:16]}.csv"
    write_atomically(landing_dir / relative, data)
    return relative
