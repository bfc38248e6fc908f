"""scheme_advice: equal to scipy's tests pair by pair, and what it says of planted segments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from orchestration.accountability.advice import Tests, adjusted, behaviour_tests, scheme_advice
from orchestration.accountability.inputs import read_settings
from orchestration.accountability.schemas import columns_of, table_of
from tests.unit.accountability.conftest import AS_OF, SmallWarehouse


def plant(warehouse: SmallWarehouse, spend: dict[str, np.ndarray]) -> None:
    """Members by segment with their spend; every other outcome is the same for all, or unknown."""
    warehouse.schemes("s")
    rows = [
        {"scheme": "s", "member_id": f"{segment}{i}", "segment": segment, "spend": float(value), "orders": 1}
        for segment, values in spend.items()
        for i, value in enumerate(values)
    ]
    warehouse.insert("behaviour_members", rows)
    warehouse.insert(
        "customer_segments", [{key: row[key] for key in ("scheme", "member_id", "segment")} for row in rows]
    )


def advice(warehouse: SmallWarehouse, outcomes: list[dict[str, Any]] | None = None) -> dict[tuple[str, str], Any]:
    blank = dict.fromkeys(columns_of("treatment_outcomes"))
    given = table_of("treatment_outcomes", [blank | row for row in outcomes or []])
    table: pa.Table = scheme_advice(warehouse.con, read_settings(warehouse.con, AS_OF), given)
    return {(row["segment_a"], row["segment_b"]): row for row in table.to_pylist()}


def test_differences_and_equivalence_equal_scipys() -> None:
    random = np.random.default_rng(1)
    groups = [random.normal(50, 10, 40), random.normal(52, 5, 90), random.gamma(2, 20, 15)]
    values, codes = np.concatenate(groups), np.repeat([0, 1, 2], [40, 90, 15])
    first, second = np.asarray([0, 0, 1]), np.asarray([1, 2, 2])
    tests = behaviour_tests(values, codes, first, second, 3, "spend", 0.1)
    assert tests is not None
    margin = 0.1 * values.mean()
    for i, (a, b) in enumerate(zip(first, second, strict=True)):
        expected = stats.ttest_ind(groups[a], groups[b], equal_var=False)
        assert tests.p[i] == pytest.approx(expected.pvalue, rel=1e-9)
        below = stats.ttest_ind(groups[a] + margin, groups[b], equal_var=False, alternative="greater").pvalue
        above = stats.ttest_ind(groups[a] - margin, groups[b], equal_var=False, alternative="less").pvalue
        assert tests.alike[i] == pytest.approx(max(below, above), rel=1e-9)


def test_q_is_scipys_and_leaves_out_what_was_not_compared() -> None:
    p = np.asarray([[0.01, np.nan, 0.2], [0.04, 0.001, 0.9]])
    q = adjusted(p)
    assert q[~np.isnan(p)] == pytest.approx(stats.false_discovery_control(p[~np.isnan(p)]))
    assert np.isnan(q[0, 1])


def test_segments_that_differ_are_kept_apart_those_alike_merged_and_small_ones_tested(
    warehouse: SmallWarehouse,
) -> None:
    random = np.random.default_rng(6)
    plant(
        warehouse,
        {
            "big": random.normal(100, 10, 2_000),
            "like_big": random.normal(100, 10, 2_000),
            "low": random.normal(80, 10, 2_000),
            "tiny": random.normal(100, 60, 6),
        },
    )
    found = advice(warehouse)
    assert {pair: row["advice"] for pair, row in found.items()} == {
        ("big", "like_big"): "merge",
        ("big", "low"): "keep apart",
        ("big", "tiny"): "test",
        ("like_big", "low"): "keep apart",
        ("like_big", "tiny"): "test",
        ("low", "tiny"): "test",
    }
    assert found["big", "low"]["why"].startswith("big and low differ in spend: ")
    assert "no treatment was tested on both" in found["big", "like_big"]["why"]
    assert {row["evidence"] for row in found.values()} == {"behaviour"}


def test_means_are_told_as_shares_or_a_member() -> None:
    one = np.ones(1)
    tests = {
        name: Tests(name, "behaviour", np.asarray([a]), np.asarray([b]), one, one, 1.0)
        for name, a, b in (("share of discounts", 0.1144, 1.0), ("orders", 3.43, 15.9), ("spend", 8270.4, -99.96))
    }
    assert tests["share of discounts"].measured(0) == "11.4 % against 100 %"
    assert tests["orders"].measured(0) == "3.43 against 15.9 a member"
    assert tests["spend"].measured(0) == "8,270 against -100 a member"


ONE: dict[str, Any] = {"n_treated": 1, "cuped_ci_high": None, "cuped_always_high": None}


def effect(segment: str, uplift: float, reach: float, closed: bool = True, name: str = "t1") -> dict[str, Any]:
    return {
        "scheme": "s",
        "segment": segment,
        "experiment_id": name,
        "treatment_id": name,
        "outcome": "spend",
        "is_closed": closed,
        "n_treated": 1_000,
        "n_holdout": 1_000,
        "mean_holdout": 100.0,
        "uplift": uplift,
        "cuped_uplift": uplift,
        "cuped_ci_high": uplift + reach,
        "cuped_always_high": uplift + 20 * reach,
    }


@pytest.mark.parametrize(
    ("effects", "expected", "evidence"),
    [
        ([effect("a", 2.0, 1.0), effect("b", 3.0, 1.0)], "merge", "behaviour and effect"),
        ([effect("a", 2.0, 1.0), effect("b", 9.0, 1.0)], "keep apart", "behaviour and effect"),
        ([effect("a", 2.0, 1.0, False), effect("b", 9.0, 1.0, False)], "test", "behaviour and effect"),
        ([effect("a", 2.0, 30.0), effect("b", 9.0, 30.0)], "test", "behaviour and effect"),
        ([effect("a", 2.0, 1.0)], "merge", "behaviour"),
        # Nobody has bought in either arm, or one of them has one member: nothing is known of the effect.
        ([effect("a", 0.0, 0.0), effect("b", 0.0, 0.0)], "test", "behaviour"),
        ([effect("a", 0.0, 0.0, False), effect("b", 9.0, 1.0, False)], "test", "behaviour"),
        ([effect("a", 0.0, 0.0) | ONE, effect("b", 9.0, 1.0)], "test", "behaviour"),
        ([effect("a", 0.0, 0.0) | ONE, effect("b", 9.0, 1.0), effect("b", 9.0, 1.0, name="t2")], "test", "behaviour"),
        # Nobody in an arm, or not of the sizes that were drawn: it was not tested there.
        ([effect("a", 0.0, 0.0) | ONE | {"n_treated": 0, "uplift": None}, effect("b", 9.0, 1.0)], "merge", "behaviour"),
    ],
)
def test_segments_that_behave_alike_are_told_apart_by_what_a_treatment_does(
    warehouse: SmallWarehouse, effects: list[dict[str, Any]], expected: str, evidence: str
) -> None:
    random = np.random.default_rng(6)
    plant(warehouse, {"a": random.normal(100, 10, 2_000), "b": random.normal(100, 10, 2_000)})
    row = advice(warehouse, effects)["a", "b"]
    assert (row["advice"], row["evidence"]) == (expected, evidence)


def test_a_segment_of_today_without_members_then_is_compared_with_nothing(warehouse: SmallWarehouse) -> None:
    plant(warehouse, {"a": np.arange(50.0), "b": np.arange(50.0)})
    warehouse.insert("customer_segments", [{"scheme": "s", "member_id": "x", "segment": "new"}])
    row = advice(warehouse)["a", "new"]
    assert (row["advice"], row["evidence"], row["n_b"], row["q_value"]) == ("test", "nothing", 0, None)


def test_a_constant_pair_of_few_members_is_not_proven_alike(warehouse: SmallWarehouse) -> None:
    plant(warehouse, {"a": np.zeros(3), "b": np.zeros(3), "c": np.arange(60.0)})
    assert advice(warehouse)["a", "b"]["advice"] == "test"


def test_random_segments_are_seldom_kept_apart() -> None:
    random = np.random.default_rng(3)
    first, second = np.triu_indices(6, 1)
    false = 0
    for _ in range(200):
        tests = behaviour_tests(random.gamma(1, 30, 600), random.integers(0, 6, 600), first, second, 6, "spend", 0.1)
        assert tests is not None
        false += bool((adjusted(tests.p[np.newaxis]) < 0.05).any())
    assert false / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)
