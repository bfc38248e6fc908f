"""treatment_outcomes: uplift, its interval, and what voids it, on planted experiments."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from scipy import stats

from orchestration.accountability.experiments import read_experiments
from orchestration.accountability.outcomes import net_bounds, net_value, treatment_outcomes
from orchestration.accountability.schemas import columns_of
from orchestration.accountability.scorecard import pays
from orchestration.accountability.sequences import standard_errors
from tests.unit.accountability.conftest import AS_OF, SmallWarehouse


def plant(
    warehouse: SmallWarehouse,
    arms: np.ndarray,
    spend: np.ndarray,
    share: float | None = 0.5,
    cost: float = 0.0,
    closed: bool = True,
) -> None:
    """Experiment t1, members m00000 on; closed, or 45 of 90 days old."""
    own = [None if share is None else share if treated else 1 - share for treated in arms]
    warehouse.insert(
        "experiment_members",
        [
            {
                "experiment_id": "t1",
                "customer_id": f"m{i:05}",
                "treatment_id": "t1" if arms[i] else "none",
                "arm": "treated" if arms[i] else "holdout",
                "assigned_on": AS_OF - timedelta(days=100 if closed else 45),
                "observed_days": 90 if closed else 45,
                "closes_on": AS_OF - timedelta(days=10) if closed else AS_OF + timedelta(days=45),
                "is_closed": closed,
                "arm_share": own[i],
                "past_spend": float(i % 7),
                "past_orders": i % 2,
                "spend": float(spend[i]),
                "orders": i % 3,
                "cost": cost if arms[i] else 0.0,
            }
            for i in range(len(arms))
        ],
    )


def rows_by_key(warehouse: SmallWarehouse) -> dict[tuple[str, str, str], dict[str, Any]]:
    rows = treatment_outcomes(read_experiments(warehouse.con)).to_pylist()
    return {(row["scheme"], row["segment"], row["outcome"]): row for row in rows}


def test_without_experiments_the_table_is_empty_with_all_its_columns(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    table = treatment_outcomes(read_experiments(warehouse.con))
    assert table.num_rows == 0
    assert table.column_names == list(columns_of("treatment_outcomes"))


def test_a_planted_uplift_is_found_and_equals_scipys_welch(warehouse: SmallWarehouse) -> None:
    random = np.random.default_rng(31)
    warehouse.schemes("rfm")
    warehouse.con.execute("update sales_margin set margin_share = 0.3")
    arms = random.permutation(np.arange(600) % 2 == 0)
    spend = random.normal(50, 5, 600) + 10 * arms
    plant(warehouse, arms, spend, cost=0.5)
    row = rows_by_key(warehouse)["all", "all", "spend"]
    expected = stats.ttest_ind(spend[arms], spend[~arms], equal_var=False)
    assert (row["n_treated"], row["n_holdout"]) == (300, 300)
    assert row["ci_low"] < 10 < row["ci_high"]
    assert row["p_value"] == pytest.approx(expected.pvalue, rel=1e-6)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(expected.confidence_interval()))
    assert row["cuped_ci_low"] < 10 < row["cuped_ci_high"]
    assert row["cost_per_member"] == 0.5
    assert row["net_value"] == pytest.approx(row["uplift"] * 0.3 - 0.5)


def test_arms_out_of_ratio_void_the_comparison_of_every_segment(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    arms = np.arange(400) < 260  # 260 of 400 where half was drawn: p = 2e-9
    plant(warehouse, arms, np.arange(400) % 11)
    warehouse.con.execute(
        "insert into experiment_segments select experiment_id, 'rfm', customer_id, 'champions' from experiment_members"
    )
    for row in rows_by_key(warehouse).values():
        assert row["srm_p_value"] < 0.001
        assert row["n_treated"] == 260
        voided = (
            "uplift",
            "ci_low",
            "ci_high",
            "cuped_uplift",
            "p_value",
            "q_value",
            "minimum_detectable_effect",
            "net_value",
            "verdict_net_value",
            "verdict_net_low",
        )
        assert [row[column] for column in voided] == [None] * len(voided)


def test_a_ratio_that_was_not_stated_is_neither_tested_nor_assumed(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    plant(warehouse, np.arange(400) < 260, np.arange(400) % 11, share=None)
    row = rows_by_key(warehouse)["all", "all", "spend"]
    assert row["srm_p_value"] is None
    assert row["uplift"] is not None


def test_each_active_scheme_is_reported_by_segment_on_assignment(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm", inactive=["gender"])
    arms = np.arange(40) % 2 == 0
    plant(warehouse, arms, np.where(np.arange(40) < 20, 10.0 * arms, 0.0) + np.arange(40) % 3)
    warehouse.con.execute(
        """
        insert into experiment_segments
            select experiment_id, 'rfm', customer_id, if(customer_id < 'm00020', 'champions', 'unknown')
            from experiment_members
            union all select experiment_id, 'gender', customer_id, 'female' from experiment_members
        """
    )
    rows = rows_by_key(warehouse)
    assert {(scheme, segment) for scheme, segment, _ in rows} == {
        ("all", "all"),
        ("rfm", "champions"),
        ("rfm", "unknown"),
    }
    assert rows["rfm", "champions", "spend"]["uplift"] > 9
    assert abs(rows["rfm", "unknown", "spend"]["uplift"]) < 1
    assert rows["rfm", "champions", "spend"]["n_treated"] == 10


def test_those_whom_a_scheme_does_not_know_are_shown_and_decide_nothing(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    arms = np.arange(400) % 2 == 0
    spend = np.arange(400) % 11 + np.where(np.arange(400) < 200, 1.0, 30.0) * arms
    plant(warehouse, arms, spend)
    warehouse.con.execute(
        """
        insert into experiment_segments
            select experiment_id, 'rfm', customer_id, if(customer_id < 'm00200', 'champions', 'unknown')
            from experiment_members
        """
    )
    rows = rows_by_key(warehouse)
    unknown, known = rows["rfm", "unknown", "spend"], rows["rfm", "champions", "spend"]
    assert unknown["uplift"] > 25 and unknown["q_value"] < 0.001 and unknown["verdict_q_value"] is None
    # Two rows are adjusted, spend and orders of those who are known.
    warehouse.con.execute("delete from experiment_segments where segment = 'unknown'")
    assert known["verdict_q_value"] == rows_by_key(warehouse)["rfm", "champions", "spend"]["verdict_q_value"]


def test_a_segment_without_a_holdout_has_no_uplift(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    plant(warehouse, np.asarray([True, True, False, False]), np.asarray([1.0, 2.0, 3.0, 5.0]))
    warehouse.con.execute("insert into experiment_segments values ('t1', 'rfm', 'm00000', 'champions')")
    row = rows_by_key(warehouse)["rfm", "champions", "spend"]
    assert (row["n_treated"], row["n_holdout"], row["mean_holdout"], row["uplift"]) == (1, 0, None, None)


@pytest.mark.parametrize(
    ("uplift", "margin", "cost", "expected"),
    [(10.0, 0.3, 1.0, 2.0), (10.0, None, 1.0, None), (None, 0.3, 1.0, None), (-5.0, 0.2, 0.0, -1.0)],
)
def test_net_value_is_margin_on_uplift_less_cost(
    uplift: float | None, margin: float | None, cost: float | None, expected: float | None
) -> None:
    assert net_value(uplift, margin, cost) == expected


def test_an_open_experiment_has_an_interval_at_all_looks_and_only_that_decides(warehouse: SmallWarehouse) -> None:
    random = np.random.default_rng(32)
    warehouse.schemes("rfm")
    arms = random.permutation(np.arange(600) % 2 == 0)
    plant(warehouse, arms, random.normal(50, 5, 600) + 0.9 * arms, closed=False)
    row = rows_by_key(warehouse)["all", "all", "spend"]
    assert not row["is_closed"]
    # 600 members half observed count as 300; equal variances make the cautious error Welch's, up to the last digits.
    error, degrees = (row["ci_high"] - row["uplift"]) / stats.t.ppf(0.975, 598), 598
    reach = stats.t.isf(stats.norm.sf(standard_errors(300)), degrees) * error
    assert row["always_high"] - row["uplift"] == pytest.approx(reach, rel=1e-3)
    assert row["uplift"] - row["always_low"] == pytest.approx(row["always_high"] - row["uplift"])
    assert row["cuped_always_low"] < row["cuped_ci_low"] and row["cuped_always_high"] > row["cuped_ci_high"]
    assert row["p_value"] < 0.05 < row["always_p_value"]
    assert row["verdict_q_value"] > 0.05 and row["verdict_net_value"] == row["net_value"]
    # Margin unknown.
    assert row["verdict_net_low"] is None and row["verdict_net_high"] is None
    warehouse.con.execute("update sales_margin set margin_share = 0.3")
    row = rows_by_key(warehouse)["all", "all", "spend"]
    assert (row["verdict_net_low"], row["verdict_net_high"]) == (0.3 * row["always_low"], 0.3 * row["always_high"])


def test_while_nobody_has_bought_yet_no_interval_says_that_nothing_is_certain(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    plant(warehouse, np.arange(20) % 2 == 0, np.zeros(20), closed=False)
    row = rows_by_key(warehouse)["all", "all", "spend"]
    assert row["uplift"] == 0.0
    bounds = ("always_low", "always_high", "cuped_always_low", "cuped_always_high", "verdict_net_low", "always_p_value")
    assert [row[name] for name in bounds] == [None] * len(bounds)


def test_a_closed_experiment_is_decided_by_its_fixed_interval_after_cuped(warehouse: SmallWarehouse) -> None:
    random = np.random.default_rng(32)
    warehouse.schemes("rfm")
    arms = random.permutation(np.arange(600) % 2 == 0)
    past = np.arange(600) % 7
    spend = random.normal(50, 5, 600) + 10 * past + 1.5 * arms
    plant(warehouse, arms, spend, cost=0.1)
    warehouse.con.execute("update sales_margin set margin_share = 0.3")
    rows = rows_by_key(warehouse)
    row = rows["all", "all", "spend"]
    left = spend - np.polyfit(past, spend, 1)[0] * (past - past.mean())
    p_value = stats.ttest_ind(left[arms], left[~arms]).pvalue
    orders = stats.ttest_ind((np.arange(600) % 3)[arms], (np.arange(600) % 3)[~arms]).pvalue
    # Arms of one size: Welch's test and that under equal variances are the same. Two rows of a scheme are adjusted.
    assert p_value < 0.01 < 0.3 < row["p_value"] and orders > p_value
    assert row["verdict_q_value"] == pytest.approx(2 * p_value, rel=1e-2)
    assert row["verdict_net_value"] == pytest.approx(row["cuped_uplift"] * 0.3 - 0.1)
    assert row["net_value"] == pytest.approx(row["uplift"] * 0.3 - 0.1)
    assert rows["all", "all", "orders"]["verdict_net_value"] is None
    assert rows["all", "all", "orders"]["verdict_net_low"] is None
    assert row["verdict_net_low"] == pytest.approx(row["cuped_ci_low"] * 0.3 - 0.1, abs=1e-4)
    assert row["verdict_net_high"] == pytest.approx(row["cuped_ci_high"] * 0.3 - 0.1, abs=1e-4)


def test_an_uplift_beyond_chance_and_about_as_large_as_its_cost_pays_neither_way(warehouse: SmallWarehouse) -> None:
    random = np.random.default_rng(37)
    warehouse.schemes("rfm")
    warehouse.con.execute("update sales_margin set margin_share = 0.3")
    arms = random.permutation(np.arange(600) % 2 == 0)
    plant(warehouse, arms, random.normal(500, 50, 600) + 10 * arms)
    warehouse.con.execute(
        "insert into experiment_segments select experiment_id, 'rfm', customer_id, 'champions' from experiment_members"
    )
    uplift = rows_by_key(warehouse)["rfm", "champions", "spend"]["cuped_uplift"]
    found = {}
    for cost in (0.0, uplift * 0.3 - 0.02, uplift * 0.3 + 0.02, 9.0):
        warehouse.con.execute("update experiment_members set cost = if(arm = 'treated', ?, 0)", [cost])
        rows = treatment_outcomes(read_experiments(warehouse.con)).to_pylist()
        assert rows_by_key(warehouse)["rfm", "champions", "spend"]["verdict_q_value"] < 0.05
        found[cost] = pays([row for row in rows if row["scheme"] == "rfm"])
    assert list(found.values()) == ["yes", "unproven", "unproven", "no"]


def test_with_a_margin_below_nothing_more_uplift_is_less_value() -> None:
    assert net_bounds((1.0, 3.0), -0.5, 1.0) == (-2.5, -1.5)
    assert net_bounds((1.0, 3.0), 0.5, 1.0) == (-0.5, 0.5)
    assert net_bounds((None, None), 0.5, 1.0) == net_bounds(None, 0.5, 1.0) == (None, None)
    assert net_bounds((1.0, 3.0), None, 1.0) == (None, None)


def test_a_small_arm_decides_by_the_larger_p_and_not_by_its_own_small_variance(warehouse: SmallWarehouse) -> None:
    random = np.random.default_rng(33)
    warehouse.schemes("rfm")
    arms = np.arange(600) >= 12
    spend = np.where(arms, random.normal(50, 25, 600), random.normal(46, 3, 600))
    plant(warehouse, arms, spend, share=0.98)
    row = next(row for row in rows_by_key(warehouse).values() if row["outcome"] == "spend")
    pooled = stats.ttest_ind(spend[arms], spend[~arms]).pvalue
    assert row["p_value"] < 0.01 < 0.4 < pooled
    # The p under equal variances, but with Welch's degrees of freedom.
    assert row["verdict_q_value"] > 0.4 > 0.02 > row["q_value"]
    # And the interval that goes with it: Welch's alone would be above 0.
    warehouse.con.execute("update sales_margin set margin_share = 1")
    row = next(row for row in rows_by_key(warehouse).values() if row["outcome"] == "spend")
    assert row["cuped_ci_low"] > 0 > row["verdict_net_low"]


def test_the_margin_of_a_closed_experiment_is_that_of_the_day_it_closed(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    plant(warehouse, np.arange(40) % 2 == 0, np.arange(40.0))
    warehouse.con.execute("update sales_margin set margin_share = 0.3")
    warehouse.con.execute("insert into sales_margin values (date '2026-07-22', 1.0, 1.0, 0.2)")
    assert rows_by_key(warehouse)["all", "all", "spend"]["margin_share"] == 0.2


def three_arms(warehouse: SmallWarehouse, arms: list[str], shares: dict[str, float], closed: bool = True) -> None:
    warehouse.insert(
        "experiment_members",
        [
            {
                "experiment_id": "e1",
                "customer_id": f"m{i:05}",
                "treatment_id": arm,
                "arm": "holdout" if arm == "none" else "treated",
                "assigned_on": AS_OF - timedelta(days=100),
                "observed_days": 90,
                "closes_on": AS_OF - timedelta(days=10),
                "is_closed": closed,
                "arm_share": shares[arm],
                "past_spend": 0.0,
                "past_orders": 0,
                "spend": float(i % 5) + (arm == "b"),
                "orders": i % 3,
                "cost": 0.0,
            }
            for i, arm in enumerate(arms)
        ],
    )


def test_several_treatments_share_one_holdout(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    arms = ["none", "a", "b"] * 100
    three_arms(warehouse, arms, {"none": 0.3333, "a": 0.3333, "b": 0.3333})
    rows = {
        row["treatment_id"]: row
        for row in treatment_outcomes(read_experiments(warehouse.con)).to_pylist()
        if row["outcome"] == "spend"
    }
    spend = {arm: np.asarray([i % 5 + (arm == "b") for i, own in enumerate(arms) if own == arm]) for arm in rows}
    holdout = np.asarray([i % 5 for i, own in enumerate(arms) if own == "none"])
    assert set(rows) == {"a", "b"}
    for arm, row in rows.items():
        expected = stats.ttest_ind(spend[arm], holdout, equal_var=False)
        assert (row["experiment_id"], row["n_treated"], row["n_holdout"]) == ("e1", 100, 100)
        assert row["p_value"] == pytest.approx(expected.pvalue, rel=1e-9)
        assert row["srm_p_value"] == pytest.approx(1.0)


@pytest.mark.parametrize("closed", [True, False])
def test_the_ratio_is_that_of_all_arms_and_voids_every_treatment(warehouse: SmallWarehouse, closed: bool) -> None:
    warehouse.schemes("rfm")
    # Treatments a and b are in ratio; the holdout has lost two in five of its members.
    arms = ["a"] * 400 + ["b"] * 400 + ["none"] * 240
    three_arms(warehouse, arms, {"none": 0.3333, "a": 0.3333, "b": 0.3334}, closed)
    for row in treatment_outcomes(read_experiments(warehouse.con)).to_pylist():
        assert row["srm_p_value"] < 0.001
        if closed:
            expected = stats.chisquare([400, 400, 240], 1040 * np.asarray([0.3333, 0.3334, 0.3333])).pvalue
            assert row["srm_p_value"] == pytest.approx(expected, rel=1e-9)
        assert row["uplift"] is None and row["always_low"] is None and row["cuped_always_low"] is None


def test_shares_that_are_not_those_of_the_arms_leave_the_ratio_unknown(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    three_arms(warehouse, ["a"] * 400 + ["b"] * 400 + ["none"] * 240, {"none": 0.5, "a": 0.5, "b": 0.5})
    for row in treatment_outcomes(read_experiments(warehouse.con)).to_pylist():
        assert row["srm_p_value"] is None and row["uplift"] is not None


def test_a_share_that_changes_on_the_way_is_held_against_each_days_own(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    arms = np.asarray([True] * 50 + [False] * 50 + [True] * 90 + [False] * 10)
    plant(warehouse, arms, np.arange(200.0))
    warehouse.con.execute(
        """update experiment_members set assigned_on = assigned_on + 1, arm_share = if(arm = 'treated', 0.9, 0.1)
        where customer_id >= 'm00100'"""
    )
    assert rows_by_key(warehouse)["all", "all", "spend"]["srm_p_value"] == pytest.approx(1.0)
