"""The occasion matrix: p-values against scipy, its error rate, and what becomes of empty cells."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from orchestration.accountability.occasions import occasion_matrix, one_against_the_rest

AS_OF = date(2026, 8, 1)
OCCASIONS = ("breakfast", "dinner", "lunch")


def shares_of(baskets: np.ndarray) -> np.ndarray:
    return np.asarray(baskets / baskets.sum(axis=1, keepdims=True))


def random_baskets(rng: np.random.Generator, members: int) -> np.ndarray:
    """(members, 3) baskets: members differ in how much they buy and in when, whatever their segment. Many ties."""
    tastes = rng.dirichlet((1.0, 2.0, 1.5), size=members)
    return np.array([rng.multinomial(rng.integers(1, 30), taste) for taste in tastes])


def warehouse(baskets: np.ndarray, segments: list[str], scheme: str = "s") -> duckdb.DuckDBPyConnection:
    """Tables as dbt would leave them, for one scheme; cells hold counts and the index as the contract words it."""
    con = duckdb.connect()
    members = [f"m{i}" for i in range(len(segments))]
    memberships = pa.table({"scheme": [scheme] * len(members), "member_id": members, "segment": segments})
    occasions = pa.table(
        {
            "as_of": [day for day in (AS_OF, date(2026, 7, 1)) for _ in members for _ in OCCASIONS],
            "customer_id": [member for _ in range(2) for member in members for _ in OCCASIONS],
            "occasion": [*OCCASIONS] * (2 * len(members)),
            # Another date must not be looked at: there everybody is the same.
            "baskets": pa.array([int(n) for n in baskets.ravel()] + [1] * baskets.size, pa.int64()),
        }
    ).filter(pa.array([n > 0 for n in baskets.ravel()] + [True] * baskets.size))
    for name, table in {"customer_segments": memberships, "int_customer_occasions": occasions}.items():
        con.register("given_rows", table)
        con.execute(f"create table {name} as select * from given_rows")
    con.execute(
        f"""create table occasion_cells as
        with counts as (
            select segment, occasion, count(*) as customers, sum(baskets) as baskets
            from customer_segments inner join int_customer_occasions on member_id = customer_id and as_of = '{AS_OF}'
            group by all),
        grid as (
            select distinct segments.segment, occasions.occasion
            from customer_segments as segments cross join int_customer_occasions as occasions)
        select '{scheme}' as scheme, segment, occasion, coalesce(customers, 0)::bigint as customers,
            coalesce(baskets, 0)::bigint as baskets, 0::decimal(18, 4) as spend,
            (baskets_here / sum(baskets_here) over (partition by segment))
            / (sum(baskets_here) over (partition by occasion) / sum(baskets_here) over ()) as "index"
        from (
            select grid.*, customers, baskets, coalesce(baskets, 0) as baskets_here
            from grid left join counts using (segment, occasion))"""
    )
    return con


def matrix(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["segment"], row["occasion"]): row for row in occasion_matrix(con, AS_OF).to_pylist()}


@pytest.mark.parametrize("seed", range(5))
def test_p_values_equal_scipys_kruskal_of_the_segment_against_the_rest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares, groups = shares_of(random_baskets(rng, 80)), rng.integers(0, 7, 80)
    p_values = one_against_the_rest(shares, groups, 7)
    for group in np.unique(groups):
        for j in range(shares.shape[1]):
            inside = groups == group
            expected = stats.kruskal(shares[inside, j], shares[~inside, j]).pvalue
            assert p_values[group, j] == pytest.approx(expected, rel=1e-9, abs=1e-14)


def test_members_are_the_unit_and_not_their_baskets() -> None:
    """One member of `b` has a thousand baskets at dinner: that is one member's habit, and no gap of the segment."""
    rng = np.random.default_rng(1)
    baskets = random_baskets(rng, 100)
    baskets[0] = (0, 1000, 0)
    cells = matrix(warehouse(baskets, ["b"] * 20 + ["a"] * 80))
    assert cells["b", "lunch"]["index"] < 0.5
    assert not cells["b", "lunch"]["is_gap"]


def test_empty_and_whole_groups_have_no_p_value() -> None:
    shares = shares_of(np.array([[1, 1], [1, 3], [2, 1]]))
    assert np.isnan(one_against_the_rest(shares, np.zeros(3, dtype=np.int64), 2)).all()


def test_equal_members_have_no_p_value() -> None:
    shares = shares_of(np.array([[1, 1], [2, 2], [3, 3]]))
    assert np.isnan(one_against_the_rest(shares, np.array([0, 0, 1]), 2)).all()


def test_planted_gap_is_found_and_nothing_else_is_called_one() -> None:
    rng = np.random.default_rng(2)
    baskets = random_baskets(rng, 300)
    baskets[:60, 0] = 0
    baskets[:60, 1] += 1
    cells = matrix(warehouse(baskets, ["no_breakfast"] * 60 + ["a"] * 120 + ["b"] * 120))
    assert [key for key, cell in cells.items() if cell["is_gap"] and key[0] == "no_breakfast"] == [
        ("no_breakfast", "breakfast")
    ]
    assert cells["no_breakfast", "breakfast"]["index"] == 0
    assert cells["no_breakfast", "breakfast"]["customers"] == 0


def test_a_segment_without_baskets_is_in_the_matrix_without_a_test() -> None:
    baskets = np.vstack([random_baskets(np.random.default_rng(3), 30), np.zeros((5, 3), dtype=int)])
    cells = matrix(warehouse(baskets, ["a"] * 15 + ["b"] * 15 + ["gone"] * 5))
    assert [cells["gone", occasion]["p_value"] for occasion in OCCASIONS] == [None, None, None]
    assert not any(cells["gone", occasion]["is_gap"] for occasion in OCCASIONS)


def test_q_values_equal_scipys_over_all_cells_with_a_p_value() -> None:
    rng = np.random.default_rng(4)
    cells = matrix(warehouse(random_baskets(rng, 90), [f"s{i % 6}" for i in range(90)]))
    p_values = [cell["p_value"] for cell in cells.values()]
    q_values = [cell["q_value"] for cell in cells.values()]
    assert q_values == pytest.approx(stats.false_discovery_control(p_values))


def test_random_labels_differ_at_the_tests_error_rate_and_make_hardly_a_gap() -> None:
    """400 draws of 5 labels: 5 % of the p-values below 0.05, and a cell called different in 5 % of the draws, both
    within 4 standard errors. A test on baskets instead of members fails this by far."""
    rng = np.random.default_rng(5)
    baskets = random_baskets(rng, 200)
    shares = shares_of(baskets)
    draws, below, with_gap = 400, 0, 0
    for _ in range(draws):
        groups = rng.permutation(np.arange(200) % 5)
        p_values = one_against_the_rest(shares, groups, 5)
        below += int((p_values < 0.05).sum())
        with_gap += bool((stats.false_discovery_control(p_values.ravel()) < 0.05).any())
    # 15 cells a draw, taken as 5 independent ones.
    assert below / (draws * 15) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / (draws * 5)))
    assert with_gap / draws < 0.05 + 4 * np.sqrt(0.05 * 0.95 / draws)
