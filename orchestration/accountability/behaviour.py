"""Question 1: do the segments of a scheme behave differently afterwards?

Reads behaviour_members (one row a scheme and member, segments as of the start of the outcome period); gives
segment_behaviour (one row a scheme and outcome).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.accountability.inputs import SIGNIFICANCE, RefreshSettings, active_schemes
from orchestration.accountability.schemas import table_of
from orchestration.accountability.statistics import (
    Floats,
    Integers,
    RankTest,
    benjamini_hochberg,
    kruskal_wallis,
    kruskal_wallis_within,
    power_to_explain,
)

# Column of behaviour_members -> how a sentence names it.
OUTCOMES = {
    "discount_share": "share of discounts",
    "orders": "orders",
    "private_label_share": "share of private labels",
    "responded": "response to what was sent",
    "spend": "spend",
}
# Of them those whose mean is a part of 1.
SHARES = frozenset(OUTCOMES[outcome] for outcome in ("discount_share", "private_label_share", "responded"))


def segment_behaviour(con: duckdb.DuckDBPyConnection, settings: RefreshSettings) -> pa.Table:
    """One row an active scheme and outcome, with p adjusted over all of them."""
    rows: list[dict[str, Any]] = []
    for scheme in active_schemes(con):
        members = _members(con, scheme)
        segments = _codes(members.column("segment"))
        quintiles = _integers(members.column("past_spend_quintile"))
        for outcome in OUTCOMES:
            rows.append(
                {"scheme": scheme, "outcome": outcome, **_measured(members.column(outcome), segments, quintiles)}
            )
    for p_name, q_name in (("p_value", "q_value"), ("p_value_beyond_spend", "q_value_beyond_spend")):
        for row, q in zip(rows, benjamini_hochberg([row[p_name] for row in rows]), strict=True):
            row[q_name] = q
    # The level that a single difference must reach in a family of so many tests, whatever the others show.
    tests = sum(row["p_value"] is not None for row in rows)
    for row in rows:
        row["power"] = (
            None
            if row["p_value"] is None
            else power_to_explain(row["n"], row["k"], settings.superficial_effect, SIGNIFICANCE / tests)
        )
    period: dict[str, date] = {"evaluated_as_of": settings.outcome_start_on, "outcome_until": settings.as_of}
    return table_of("segment_behaviour", [{**row, **period} for row in rows])


def _members(con: duckdb.DuckDBPyConnection, scheme: str) -> pa.Table:
    """The scheme's members with their outcomes, in the order of their ids, so that sums are the same every time."""
    columns = ", ".join(f"cast({outcome} as double) as {outcome}" for outcome in OUTCOMES)
    return con.execute(
        f"select segment, past_spend_quintile, {columns} from behaviour_members where scheme = ? order by member_id",
        [scheme],
    ).to_arrow_table()


def _codes(segments: pa.ChunkedArray) -> Integers:
    """(n,) a number for each segment, in the order in which they first occur."""
    return np.asarray(segments.combine_chunks().dictionary_encode().indices.to_numpy(), dtype=np.int64)


def _integers(column: pa.ChunkedArray) -> Integers:
    return np.asarray(pc.cast(column, pa.int64()).to_numpy(), dtype=np.int64)


def _measured(column: pa.ChunkedArray, segments: Integers, quintiles: Integers) -> dict[str, Any]:
    """n, k, H, effect and p of an outcome, overall and within quintiles of past spend, of members with a value."""
    known = np.asarray(pc.is_valid(column).to_numpy(zero_copy_only=False), dtype=bool)
    values: Floats = np.asarray(pc.fill_null(column, 0.0).to_numpy(), dtype=np.float64)[known]
    overall = kruskal_wallis(values, segments[known])
    beyond: RankTest = kruskal_wallis_within(values, segments[known], quintiles[known])
    return {
        "n": overall.n,
        "k": overall.k,
        "h_statistic": overall.h,
        "effect": overall.effect,
        "p_value": overall.p_value,
        "effect_beyond_spend": beyond.effect,
        "p_value_beyond_spend": beyond.p_value,
    }
