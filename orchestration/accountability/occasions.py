"""Where a segment buys less than everyone: the occasion matrix with its test.

Reads occasion_cells (counts by scheme, segment and occasion), customer_segments and int_customer_occasions (baskets by
member and occasion); gives occasion_matrix (the cells with p, q and is_gap).

The unit is the member: one who comes daily says no more about a segment than one who comes weekly. A test on baskets
would call most cells significant, because the baskets of one member resemble each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import stats

from orchestration.accountability.inputs import SIGNIFICANCE
from orchestration.accountability.schemas import table_of
from orchestration.accountability.statistics import Floats, Integers, benjamini_hochberg


def occasion_matrix(con: duckdb.DuckDBPyConnection, as_of: date) -> pa.Table:
    """One row a cell of occasion_cells, with p adjusted over all of them."""
    cells = con.execute(
        """select scheme, segment, occasion, customers, baskets, spend, "index" from occasion_cells
        order by scheme, segment, occasion"""
    )
    names = [column[0] for column in cells.description or []]
    rows: list[dict[str, Any]] = [dict(zip(names, values, strict=True)) for values in cells.fetchall()]
    p_values: dict[tuple[str, str, str], float | None] = {}
    for scheme in sorted({row["scheme"] for row in rows}):
        p_values |= _scheme_p_values(con, scheme, as_of)
    for row in rows:
        row["p_value"] = p_values.get((row["scheme"], row["segment"], row["occasion"]))
    for row, q in zip(rows, benjamini_hochberg([row["p_value"] for row in rows]), strict=True):
        row["q_value"] = q
        row["is_gap"] = q is not None and row["index"] is not None and row["index"] < 1 and q < SIGNIFICANCE
    return table_of("occasion_matrix", rows)


def _scheme_p_values(
    con: duckdb.DuckDBPyConnection, scheme: str, as_of: date
) -> dict[tuple[str, str, str], float | None]:
    """p by (scheme, segment, occasion), of the segments and occasions that have baskets."""
    rows = con.execute(
        """select memberships.segment, memberships.member_id, occasions.occasion, occasions.baskets
        from customer_segments as memberships
        inner join int_customer_occasions as occasions
            on memberships.member_id = occasions.customer_id and occasions.as_of = ?
        where memberships.scheme = ?
        order by memberships.member_id, occasions.occasion""",
        [as_of, scheme],
    ).to_arrow_table()
    if rows.num_rows == 0:
        return {}
    segments, segment_codes = _codes(rows.column("segment"))
    members, member_codes = _codes(rows.column("member_id"))
    occasions, occasion_codes = _codes(rows.column("occasion"))
    baskets = np.zeros((len(members), len(occasions)))
    baskets[member_codes, occasion_codes] = rows.column("baskets").to_numpy()
    segment_of = np.zeros(len(members), dtype=np.int64)
    segment_of[member_codes] = segment_codes
    p_values = one_against_the_rest(baskets / baskets.sum(axis=1, keepdims=True), segment_of, len(segments))
    return {
        (scheme, segment, occasion): None if np.isnan(p_values[i, j]) else float(p_values[i, j])
        for i, segment in enumerate(segments)
        for j, occasion in enumerate(occasions)
    }


def _codes(column: pa.ChunkedArray) -> tuple[Sequence[str], Integers]:
    """The distinct values, and (n,) the place of each value among them."""
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.dictionary.to_pylist(), np.asarray(encoded.indices.to_numpy(), dtype=np.int64)


def one_against_the_rest(shares: Floats, groups: Integers, n_groups: int) -> Floats:
    """p of a Kruskal-Wallis test with tie correction of each group against all the others, for each column of shares.

    A column is ranked once for all groups. With centred ranks r, H = (n - 1) x (S^2 / n_g + S^2 / (n - n_g)) / sum r^2,
    where S is the group's sum of ranks (the rest's is -S). One degree of freedom.

    Args:
        shares: (n, c) a member's share of baskets in each occasion.
        groups: (n,) code of the member's group, 0 to n_groups - 1.

    Returns:
        (n_groups, c); NaN where a group is empty or is everybody, or where all members are equal.
    """
    n = shares.shape[0]
    ranks = stats.rankdata(shares, axis=0) - (n + 1) / 2
    totals: npt.NDArray[np.float64] = np.sum(ranks**2, axis=0)
    sizes = np.bincount(groups, minlength=n_groups).astype(np.float64)[:, np.newaxis]
    sums = np.column_stack(
        [np.bincount(groups, weights=ranks[:, j], minlength=n_groups) for j in range(ranks.shape[1])]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        h = (n - 1) * (sums**2 / sizes + sums**2 / (n - sizes)) / totals
    is_comparable = (sizes > 0) & (sizes < n) & (totals > 0)
    return np.where(is_comparable, stats.chi2.sf(np.where(is_comparable, h, 0.0), 1), np.nan)
