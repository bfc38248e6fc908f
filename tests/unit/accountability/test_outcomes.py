"""treatment_outcomes: uplift, its interval, and what voids it, on planted experiments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from orchestration.accountability.outcomes import net_value, treatment_outcomes
from orchestration.accountability.schemas import SCHEMAS
from tests.unit.accountability.conftest import SmallWarehouse


def plant(
    warehouse: SmallWarehouse, arms: np.ndarray, spend: np.ndarray, share: float | None = 0.5, cost: float = 0.0
) -> None:
    warehouse.insert(
        "experiment_members",
        [
            {
                "treatment_id": "t1",
                "customer_id": f"m{i:05}",
                "arm": "treated" if arms[i] else "holdout",
                "share_treated": share,
                "past_spend": float(i % 7),
                "spend": float(spend[i]),
                "orders": i % 3,
                "cost": cost if arms[i] else 0.0,
            }
            for i in range(len(arms))
        ],
    )


def rows_by_key(warehouse: SmallWarehouse) -> dict[tuple[str, str, str], dict[str, Any]]:
    rows = treatment_outcomes(warehouse.con).to_pylist()
    return {(row["scheme"], row["segment"], row["outcome"]): row for row in rows}


def test_without_experiments_the_table_is_empty_with_all_its_columns(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    table = treatment_outcomes(warehouse.con)
    assert table.num_rows == 0
    assert table.column_names == list(SCHEMAS["treatment_outcomes"])


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
        "insert into experiment_segments select treatment_id, 'rfm', customer_id, 'champions' from experiment_members"
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
            select treatment_id, 'rfm', customer_id, if(customer_id < 'm00020', 'champions', 'unknown')
            from experiment_members
            union all select treatment_id, 'gender', customer_id, 'female' from experiment_members
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
