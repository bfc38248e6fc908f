"""The lists of a hand-over, one a channel, what changed since the last one, and the memory of what was handed over.

Belongs here: columns, ids of the touchpoints to come, differences, the file in the state folder.
Does not belong here: who is addressed (models/marts/treatments/), where it goes (the targets).

What is handed over is what was exported (audiences/ of the version): so what is withheld there is withheld here. A
row keeps its touchpoint_id as long as it stays on the list: a sender that has sent it once knows it again.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration import memory
from orchestration.audiences.export import FOLDER
from orchestration.audiences.handover.target import HandOver, Target, TargetError
from orchestration.settings import Settings
from orchestration.storage.files import sync, write_atomically
from orchestration.storage.versions import DATABASE_NAME, published_version, read_manifest

STATE_NAME = "audience_hand_overs.parquet"
# In the file's own metadata: the last hand-over that each target took. Forgetting a person keeps it.
_LAST = b"segments_in_use.hand_overs"
FIELDS = [
    ("touchpoint_id", pa.string()),
    ("member_id", pa.string()),
    ("company_id", pa.string()),
    ("treatment_id", pa.string()),
    ("scheme", pa.string()),
    ("segment", pa.string()),
    ("message", pa.string()),
    ("offer", pa.string()),
    ("offer_item", pa.string()),
    ("evidence", pa.string()),
    ("priority", pa.int64()),
    ("valid_from", pa.date32()),
    ("valid_to", pa.date32()),
    ("send_on", pa.date32()),
]
SCHEMA = pa.schema(FIELDS)
COLUMNS = tuple(SCHEMA.names)
CHANGES_SCHEMA = pa.schema([("change", pa.string()), *FIELDS])
LEDGER_SCHEMA = pa.schema([("target", pa.string()), ("channel", pa.string()), ("is_current", pa.bool_()), *FIELDS])
KEY = ("channel", "member_id", "treatment_id")
# What makes a row another one: not its id, nor the day, which is another one at every refresh.
COMPARED = tuple(c for c in COLUMNS if c not in ("touchpoint_id", "send_on", *KEY))

Rows = dict[tuple[str, str, str], dict[str, Any]]


def hand_over(settings: Settings, version: Path, target: Target) -> HandOver | None:
    """Give a target the audiences of a published version; None where it has taken these already.

    The memory is written when the target has taken all: whatever stops it in between, it is given the same again.
    """
    path = settings.state_dir / STATE_NAME
    ledger = read_ledger(path)
    last = last_hand_overs(path)
    before = {
        (row["channel"], row["member_id"], row["treatment_id"]): row
        for row in ledger
        if row["target"] == target.name and row["is_current"]
    }
    as_of = date.fromisoformat(read_manifest(version)["as_of"])
    now = exported_rows(version)
    for key, row in now.items():
        row["touchpoint_id"] = before[key]["touchpoint_id"] if key in before else touchpoint_id(*key, as_of)
    identity = hand_over_id(version.name, now)
    since = last.get(target.name)
    if since == identity:
        return None
    given = _hand_over(identity, as_of, before, now, since)
    target.write(given)
    known = {row["touchpoint_id"] for row in ledger if row["target"] == target.name}
    for row in ledger:
        if row["target"] == target.name:
            key = (row["channel"], row["member_id"], row["treatment_id"])
            row["is_current"] = key in now and now[key]["touchpoint_id"] == row["touchpoint_id"]
            if row["is_current"]:
                row |= now[key]
    ledger += [
        {"target": target.name, "is_current": True, **row} for row in now.values() if row["touchpoint_id"] not in known
    ]
    _write_ledger(path, ledger, last | {target.name: identity})
    return given


def hand_over_to_all(
    settings: Settings, targets: list[Target]
) -> dict[str, tuple[dict[str, int], dict[str, dict[str, int]]]]:
    """Give every target the published audiences; one that does not take them keeps none of the others from it.

    Returns:
        For each target, rows by channel, and changes by channel and kind; both empty where it had them already.

    Raises:
        TargetError: at least one target did not take them, or nothing is published.
    """
    version = published_version(settings)
    if version is None:
        raise TargetError("nothing is published yet: run make refresh")
    done: dict[str, tuple[dict[str, int], dict[str, dict[str, int]]]] = {}
    wrong = []
    for target in targets:
        try:
            given = hand_over(settings, version, target)
        except Exception as error:
            # A target of somebody's own may raise whatever it likes.
            told = str(error) if isinstance(error, TargetError) else f"{target.name}: {type(error).__name__}: {error}"
            wrong.append(told)
            continue
        lists = {channel: table.num_rows for channel, table in given.lists.items()} if given else {}
        changes = {channel: dict(counts) for channel, counts in given.counts.items()} if given else {}
        done[target.name] = (lists, changes)
    if wrong:
        raise TargetError("; ".join(wrong))
    return done


def exported_rows(version: Path) -> Rows:
    """What a version exported, by channel, member and treatment, with what a sender needs beside it."""
    files = sorted(str(p) for p in (version / FOLDER).glob("*.parquet"))
    if not files:
        return {}
    columns = [name for name in COLUMNS if name != "touchpoint_id"]
    with memory.connect(version / DATABASE_NAME, read_only=True) as con:
        found = con.execute(
            f"""
            with valid as (
                select treatment_id, min(valid_from) as valid_from, max(valid_to) as valid_to
                from treatments group by treatment_id
            )
            select exported.channel, {", ".join(_source(name) for name in columns)}
            from read_parquet(?, union_by_name = true) as exported
            inner join audiences using (channel, member_id, treatment_id)
            left join valid using (treatment_id)
            order by 1, exported.member_id, exported.treatment_id
            """,
            [files],
        ).fetchall()
    rows = [dict(zip(["channel", *columns], row, strict=True)) for row in found]
    return {(row["channel"], row["member_id"], row["treatment_id"]): row for row in rows}


def _source(name: str) -> str:
    if name in ("valid_from", "valid_to"):
        return f"cast(valid.{name} as date)"
    return "audiences.company_id" if name == "company_id" else f"exported.{name}"


def touchpoint_id(channel: str, member_id: str, treatment_id: str, first_on: date) -> str:
    """The id under which a touch will land, if it comes to it: of whom, what, where, and since when on the list."""
    told = "|".join([channel, member_id, treatment_id, first_on.isoformat()])
    return f"tp-{hashlib.sha256(told.encode()).hexdigest()[:24]}"


def hand_over_id(version: str, rows: Rows) -> str:
    """The version's id with a digest of the lists: it is another one where a person was taken out of them."""
    told = json.dumps([list(map(str, row.values())) for row in rows.values()])
    return f"{version}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"


def _hand_over(identity: str, as_of: date, before: Rows, now: Rows, since: str | None) -> HandOver:
    changes: dict[str, list[dict[str, Any]]] = {}
    for key in sorted(before.keys() | now.keys()):
        change = _change(before.get(key), now.get(key))
        if change:
            changes.setdefault(key[0], []).append({"change": change, **(now.get(key) or before[key])})
    channels = sorted({key[0] for key in before.keys() | now.keys()})
    return HandOver(
        identity,
        as_of,
        {c: _table([row for key, row in now.items() if key[0] == c], SCHEMA) for c in channels},
        {c: _table(changes.get(c, []), CHANGES_SCHEMA) for c in channels},
        since,
        {c: dict(Counter(row["change"] for row in changes.get(c, []))) for c in channels},
    )


def _change(before: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> str | None:
    if before is None:
        return "added"
    if now is None:
        return "removed"
    return "changed" if any(before[name] != now[name] for name in COMPARED) else None


def _table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema)


# ---- the memory -----------------------------------------------------------------------------------------------------


def read_ledger(path: Path) -> list[dict[str, Any]]:
    """Every row that was ever handed over, with the target that it went to."""
    return pq.read_table(path).to_pylist() if path.is_file() else []


def last_hand_overs(path: Path) -> dict[str, str]:
    """The last hand-over of each target."""
    if not path.is_file():
        return {}
    found: dict[str, str] = json.loads((pq.read_schema(path).metadata or {}).get(_LAST, b"{}"))
    return found


def _write_ledger(path: Path, ledger: list[dict[str, Any]], last: Mapping[str, str]) -> None:
    table = _table(ledger, LEDGER_SCHEMA).replace_schema_metadata({_LAST: json.dumps(last, sort_keys=True).encode()})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_atomically(path, sink.getvalue().to_pybytes())
    sync(path)
