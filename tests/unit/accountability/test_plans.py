"""experiment_plans: sizes by hand, which questions are open, and the power that is promised."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from orchestration.accountability.inputs import read_settings
from orchestration.accountability.plans import Ground, experiment_plans, plan
from orchestration.accountability.schemas import columns_of, table_of
from orchestration.accountability.statistics import welch
from tests.unit.accountability.conftest import AS_OF, SmallWarehouse

GROUND = Ground(members=10_000, segments=4, mean=50.0, variance=900.0, incoming=20.0, margin=0.3)


def planned(warehouse: SmallWarehouse, question: str, ground: Ground = GROUND) -> dict[str, Any]:
    return plan("rfm", question, ground, read_settings(warehouse.con, AS_OF))


def test_sizes_are_those_of_a_t_test_with_eighty_percent_power(warehouse: SmallWarehouse) -> None:
    seen = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) ** 2
    pays = planned(warehouse, "pays")
    # 1 % of a spend of 50; 4 x 900 x 7.849 / 0.25.
    assert pays["effect_of_interest"] == 0.5
    assert pays["members_needed"] == int(np.ceil(4 * 900 * seen / 0.25)) == 113_024
    assert pays["smallest_effect"] == pytest.approx(np.sqrt(4 * 900 * seen / 10_000))
    # 103,024 are missing, 20 come in a day.
    assert pays["days"] == 90 + 5_152
    assert pays["foregone_value"] == pytest.approx(0.5 * 10_000 * pays["smallest_effect"] * 0.3)
    assert planned(warehouse, "dividend")["members_needed"] == int(np.ceil(3 * 900 * seen / 0.25))
    alike = (stats.norm.ppf(0.95) + stats.norm.ppf(0.9)) ** 2
    assert planned(warehouse, "merge")["members_needed"] == int(np.ceil(8 * 4 * 900 * alike / 25))


def test_enough_members_need_the_outcome_days_and_no_more(warehouse: SmallWarehouse) -> None:
    row = planned(warehouse, "pays", replace(GROUND, members=200_000))
    assert (row["days"], row["members_available"]) == (90, 200_000)
    assert row["smallest_effect"] == row["effect_of_interest"]
    assert row["why"].startswith("113,024 of 200,000 members show in 90 days whether what is sent")


@pytest.mark.parametrize(
    ("ground", "expected"),
    [
        (replace(GROUND, incoming=0.0), {"days": None, "members_needed": 113_024}),
        (replace(GROUND, margin=None), {"foregone_value": None, "members_needed": 113_024}),
        (replace(GROUND, mean=0.0), {"members_needed": None, "days": None, "smallest_effect": None}),
        (replace(GROUND, members=1), {"members_needed": None, "members_available": 1}),
    ],
)
def test_what_is_not_known_is_null_and_said(
    warehouse: SmallWarehouse, ground: Ground, expected: dict[str, Any]
) -> None:
    row = planned(warehouse, "pays", ground)
    assert {key: row[key] for key in expected} == expected
    assert row["why"].endswith(".") and ": " in row["why"]


def test_the_promised_power_is_reached() -> None:
    random, found, worlds = np.random.default_rng(4), 0, 300
    variance, effect = 900.0, 6.0
    seen = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) ** 2
    members = int(np.ceil(4 * variance * seen / effect**2))
    for _ in range(worlds):
        treated = random.random(members) < 0.5
        spend = random.gamma(25 / 9, 18.0, members) + effect * treated
        p_value = welch(spend[treated], spend[~treated]).p_value
        found += p_value is not None and p_value < 0.05
    assert found / worlds == pytest.approx(0.8, abs=3 * np.sqrt(0.8 * 0.2 / worlds))


def test_every_open_question_of_an_active_scheme_has_a_plan_and_no_other(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("a", "b")
    warehouse.insert(
        "behaviour_members",
        [
            {"scheme": s, "member_id": f"m{i}", "segment": "x", "past_spend": 1.0 * (i % 3), "spend": 10.0 * i}
            for s in ("a", "b")
            for i in range(20)
        ],
    )
    warehouse.insert(
        "customer_segments",
        [{"scheme": s, "member_id": f"m{i}", "segment": "x"} for s in ("a", "b") for i in range(20)],
    )
    warehouse.con.execute("insert into customer_profiles select 'm' || i, date '2026-07-01' from range(9) t(i)")

    def table(name: str, *rows: dict[str, Any]) -> Any:
        return table_of(name, [dict.fromkeys(columns_of(name)) | row for row in rows])

    plans = experiment_plans(
        warehouse.con,
        read_settings(warehouse.con, AS_OF),
        table("scheme_scorecard", {"scheme": "a", "pays": "yes"}, {"scheme": "b", "pays": "unproven"}),
        table(
            "segmentation_dividend",
            {"scheme": "a", "experiment_id": "e", "verdict": "unproven"},
            {"scheme": "b", "experiment_id": "e", "verdict": "segmenting pays"},
        ),
        table("scheme_advice", {"scheme": "a", "segment_a": "x", "segment_b": "y", "advice": "test"}),
    ).to_pylist()
    assert [(row["scheme"], row["question"]) for row in plans] == [("a", "dividend"), ("a", "merge"), ("b", "pays")]
    # Nine of twenty came in within ninety days.
    assert plans[0]["days"] == 90 + int(np.ceil((plans[0]["members_needed"] - 20) / 0.1))
