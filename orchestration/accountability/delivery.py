"""Question 2, in the log: were members of different segments sent different things?

Reads delivery_members (one row a scheme and member, segments as of the start of the period); gives treatment_delivery
(one row a scheme and pair of segments that had members then).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from orchestration.accountability import inputs, statistics
from orchestration.accountability.inputs import SIGNIFICANCE, RefreshSettings, active_schemes
from orchestration.accountability.kept import KeptRows, code_digest, digests_by_scheme
from orchestration.accountability.schemas import table_of
from orchestration.accountability.statistics import (
    Integers,
    benjamini_hochberg,
    effective_members,
    jensen_shannon_distance,
    power_to_see,
    same_level_p_value,
    same_mix_p_value,
)

# Cohen's w that counts as a medium difference; a pair in which it could not be seen proves nothing by showing nothing.
MEDIUM_DIFFERENCE = 0.3
# Chance to see it that counts as enough.
ENOUGH_POWER = 0.8

TREATED_DIFFERENTLY, TREATED_ALIKE, UNPROVEN = "treated differently", "treated alike", "unproven"


@dataclass(frozen=True)
class SegmentDelivery:
    """What a segment was sent: members by set of categories, by set of channels, and by number of touches in ascending
    order, each aligned over the scheme."""

    segment: str
    members: int
    contacted: int
    touches: int
    categories: Integers
    channels: Integers
    intensities: Integers


def treatment_delivery(
    con: duckdb.DuckDBPyConnection, settings: RefreshSettings, folder: Path | None = None
) -> pa.Table:
    """Every pair of segments of every active scheme, with p adjusted over the scheme's pairs.

    Args:
        folder: where the rows of schemes whose members were sent the same as in the refresh before are kept: half of
            what a refresh of the demo waits for between its models and its audit. None keeps nothing.
    """
    kept = KeptRows("treatment_delivery", folder)
    members = digests_by_scheme(con, "delivery_members")
    code = code_digest((sys.modules[__name__], inputs, statistics))
    rows: list[dict[str, Any]] = []
    keys = {}
    for scheme in active_schemes(con):
        keys[scheme] = f"{members.get(scheme)} {settings.min_segment_members} {code}"
        found = kept.of(scheme, keys[scheme])
        if found is None:
            found = scheme_pairs(scheme, _segments(con, scheme), settings.min_segment_members)
        rows.extend(found)
    table = table_of("treatment_delivery", rows)
    kept.keep(table, keys)
    return table


def scheme_pairs(scheme: str, segments: list[SegmentDelivery], min_segment_members: int) -> list[dict[str, Any]]:
    """Rows of one scheme, segment_a < segment_b. Where nobody of the scheme was sent anything, no pair is tested."""
    was_anything_sent = any(segment.touches for segment in segments)
    ordered = sorted(segments, key=lambda segment: segment.segment)
    rows = [_pair(scheme, a, b, was_anything_sent) for a, b in combinations(ordered, 2)]
    for name in ("", "channel_", "intensity_"):
        for row, q in zip(rows, benjamini_hochberg([row[f"{name}p_value"] for row in rows]), strict=True):
            row[f"{name}q_value"] = q
    for row in rows:
        row["is_well_powered"] = (
            row["p_value"] is not None
            and row["power"] >= ENOUGH_POWER
            and min(row["n_a"], row["n_b"]) >= min_segment_members
        )
        row["verdict"] = verdict(row["p_value"], row["q_value"], row["is_well_powered"])
    return rows


def verdict(p_value: float | None, q_value: float | None, is_well_powered: bool) -> str:
    """By contract: different at q < 0.05, else unproven without power, else alike. Untested is unproven."""
    if p_value is None or q_value is None:
        return UNPROVEN
    if q_value < SIGNIFICANCE:
        return TREATED_DIFFERENTLY
    return TREATED_ALIKE if is_well_powered else UNPROVEN


def _pair(scheme: str, a: SegmentDelivery, b: SegmentDelivery, was_anything_sent: bool) -> dict[str, Any]:
    categories = int(np.count_nonzero(a.categories + b.categories))
    seed = "\x1f".join((scheme, a.segment, b.segment))
    tested = was_anything_sent
    return {
        "scheme": scheme,
        "segment_a": a.segment,
        "segment_b": b.segment,
        "n_a": a.members,
        "n_b": b.members,
        "contact_rate_a": a.contacted / a.members,
        "contact_rate_b": b.contacted / b.members,
        "touches_per_member_a": a.touches / a.members,
        "touches_per_member_b": b.touches / b.members,
        "divergence": jensen_shannon_distance(a.categories, b.categories),
        "channel_divergence": jensen_shannon_distance(a.channels, b.channels),
        "channel_p_value": same_mix_p_value(a.channels, b.channels, seed + "\x1fchannels") if tested else None,
        "intensity_p_value": same_level_p_value(a.intensities, b.intensities) if tested else None,
        "p_value": same_mix_p_value(a.categories, b.categories, seed) if tested else None,
        "power": power_to_see(effective_members(a.members, b.members), categories, MEDIUM_DIFFERENCE, SIGNIFICANCE)
        if tested
        else 0.0,
    }


def _segments(con: duckdb.DuckDBPyConnection, scheme: str) -> list[SegmentDelivery]:
    """The scheme's segments with counts by category and by channels, all in the order of their names."""
    totals = con.execute(
        """
        select segment, count(*), sum(cast(touches > 0 as integer)), sum(touches)
        from delivery_members where scheme = ? group by segment order by segment
        """,
        [scheme],
    ).fetchall()
    names = [segment for segment, *_ in totals]
    categories = _counts(con, scheme, "sent_categories", names)
    channels = _counts(con, scheme, "channels", names)
    intensities = _counts(con, scheme, "touches", names)
    return [
        SegmentDelivery(segment, int(members), int(contacted), int(touches), categories[i], channels[i], intensities[i])
        for i, (segment, members, contacted, touches) in enumerate(totals)
    ]


def _counts(con: duckdb.DuckDBPyConnection, scheme: str, column: str, segments: list[str]) -> Integers:
    """(segments, values of `column`) members, both axes sorted."""
    rows = con.execute(
        f"select segment, {column}, count(*) from delivery_members where scheme = ? group by 1, 2 order by 1, 2",
        [scheme],
    ).fetchall()
    values = sorted({value for _, value, _ in rows})
    counts = np.zeros((len(segments), len(values)), dtype=np.int64)
    for segment, value, members in rows:
        counts[segments.index(segment), values.index(value)] = members
    return counts
