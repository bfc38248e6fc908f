"""The table `treatment_distinctness`: how the treatments of each pair of segments differ, scheme by scheme.

Belongs here: which segments are paired, and the table. How two treatments differ is in compare.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING

from orchestration.seeds.treatments import UNKNOWN, Treatment, spell_out
from orchestration.treatments.compare import Difference, compare
from orchestration.treatments.inputs import Scheme, load_candidate, wordings_of

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from orchestration.seeds.wordings import Wordings


@dataclass(frozen=True)
class Pair:
    """Two segments of a scheme, segment_a < segment_b, and how their treatments differ on the as-of date."""

    scheme: str
    segment_a: str
    segment_b: str
    difference: Difference


def valid_by_segment(scheme: Scheme, rows: Iterable[Treatment], as_of: date) -> dict[str, list[Treatment]]:
    """The treatments valid on the as-of date of each segment, `unknown` left out.

    A segment with members is here with an empty list where it has none. A segment of a closed list without members is
    here where it has one: it may have members tomorrow, and the marketer wrote the row. One made of excluded items is
    here only where it has a row of its own: that nothing is done for it is meant.

    Args:
        scheme: one scheme, with its segments.
        rows: treatments as written, of any scheme.
        as_of: the day on which they must be valid.
    """
    own = [row for row in rows if row.scheme == scheme.name]
    left_out = scheme.excluded - {row.segment for row in own}
    valid: dict[str, list[Treatment]] = {segment: [] for segment in scheme.known_segments if segment not in left_out}
    without_members = set() if scheme.is_data_driven else set(scheme.listed) - {UNKNOWN}
    for treatment in spell_out(own, scheme.is_data_driven, scheme.labels, scheme.excluded):
        if treatment.is_valid_on(as_of) and treatment.segment in {*valid, *without_members}:
            valid.setdefault(treatment.segment, []).append(treatment)
    return valid


def pairs_of(scheme: str, treatments: Mapping[str, Sequence[Treatment]], wordings: Wordings) -> list[Pair]:
    """Every pair of segments of a scheme, in order."""
    return [
        Pair(scheme, a, b, compare(treatments[a], treatments[b], wordings))
        for a, b in combinations(sorted(treatments), 2)
    ]


def distinctness_table(con: duckdb.DuckDBPyConnection, as_of: date) -> pa.Table:
    """`treatment_distinctness`, one row a pair of segments of an active scheme, sorted by its key.

    Args:
        con: a connection in which the tables that dbt built are visible by name.
        as_of: the day on which treatments must be valid to count.
    """
    import pyarrow as pa

    inputs = load_candidate(con, as_of)
    wordings = wordings_of(inputs)
    pairs = [
        pair
        for scheme in sorted(inputs.active_schemes, key=lambda scheme: scheme.name)
        for pair in pairs_of(scheme.name, valid_by_segment(scheme, inputs.rows, as_of), wordings)
    ]
    return pa.table(
        {
            "scheme": pa.array([pair.scheme for pair in pairs], pa.string()),
            "segment_a": pa.array([pair.segment_a for pair in pairs], pa.string()),
            "segment_b": pa.array([pair.segment_b for pair in pairs], pa.string()),
            "difference": pa.array([pair.difference.level for pair in pairs], pa.string()),
            "differing_fields": pa.array([", ".join(pair.difference.fields) for pair in pairs], pa.string()),
            "message_similarity": pa.array([pair.difference.message_similarity for pair in pairs], pa.float64()),
        }
    )
