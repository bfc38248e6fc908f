"""experiment_plans: sizes by hand, which questions are open, and the power that is promised."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from orchestration.accountability.inputs import read_settings
from orchestration.accountability.plans import POWER, Ground, experiment_plans, plan
from orchestration.accountability.schemas import columns_of, table_of
from orchestration.accountability.statistics import cuped
from tests.support.worlds import closed, says_yes
from tests.unit.accountability.conftest import AS_OF, SmallWarehouse

GROUND = Ground(members=10_000, segments=4, mean=50.0, variance=900.0, incoming=20.0, margin=0.3)


NEEDED = 307_213


def planned(warehouse: SmallWarehouse, question: str, ground: Ground = GROUND) -> dict[str, Any]:
    return plan("rfm", question, ground, read_settings(warehouse.con, AS_OF))


def test_sizes_are_those_of_verdicts_with_eighty_percent_power(warehouse: SmallWarehouse) -> None:
    # Four segments, of each spend and orders: one of four is seen at 5 % / 8 with 80 %, each with 33 %.
    seen = (stats.norm.ppf(1 - 0.05 / 16) + stats.norm.ppf(1 - 0.2**0.25)) ** 2
    assert seen == pytest.approx(5.2805, abs=1e-4)
    pays = planned(warehouse, "pays")
    # 1 % of a spend of 50, which spreads the treated by 1.01 x 1.01; 4 segments x 4 x 900 x ... / 0.25.
    spread = (1 + 1.01**2) / 2
    assert pays["effect_of_interest"] == 0.5
    assert pays["members_needed"] == int(np.ceil(4 * 4 * 900 * spread * seen / 0.25))
    share = pays["smallest_effect"] / 50
    assert 4 * 4 * 900 * (1 + (1 + share) ** 2) / 2 * seen / (share * 50) ** 2 == pytest.approx(10_000)
    assert pays["days"] == 90 + int(np.ceil((pays["members_needed"] - 10_000) / 20))
    assert pays["foregone_value"] == pytest.approx(0.5 * 10_000 * pays["smallest_effect"] * 0.3)
    one = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) ** 2
    assert planned(warehouse, "dividend")["members_needed"] == int(np.ceil(6 * 900 * spread * one / 0.25))
    alike = (stats.norm.ppf(0.95) + stats.norm.ppf(0.9)) ** 2
    assert planned(warehouse, "merge")["members_needed"] == int(np.ceil(8 * 4 * 900 * alike / 25))


def test_enough_members_need_the_outcome_days_and_no_more(warehouse: SmallWarehouse) -> None:
    row = planned(warehouse, "pays", replace(GROUND, members=400_000))
    assert (row["days"], row["members_available"]) == (90, 400_000)
    assert row["smallest_effect"] == row["effect_of_interest"]
    assert row["why"].startswith(f"{NEEDED:,} of 400,000 members show in 90 days whether what is sent")


def test_what_varies_too_much_for_any_effect_is_said(warehouse: SmallWarehouse) -> None:
    row = planned(warehouse, "pays", replace(GROUND, members=40, variance=90_000.0))
    assert (row["smallest_effect"], row["foregone_value"]) == (None, None)
    assert row["why"].startswith("The 40 members of today are too few to show whether what is sent to the segments of")


def test_too_few_members_to_merge_show_segments_alike_to_within_more_and_no_effect(warehouse: SmallWarehouse) -> None:
    row = planned(warehouse, "merge", replace(GROUND, members=5_000))
    # Two of four segments, by two one-sided tests: 8 k s^2 (z_0.95 + z_0.9)^2 / members.
    alike = (stats.norm.ppf(0.95) + stats.norm.ppf(0.9)) ** 2
    assert row["smallest_effect"] == pytest.approx(np.sqrt(8 * 4 * 900 * alike / 5_000))
    assert row["foregone_value"] is None
    assert row["why"].startswith(
        "To learn which segments of rfm may be merged, the 5,000 members of today are too few: in 90 days they can "
        "show segments to be alike only to within 7.02 a member (14 % of spend). To within 5.00 (10 % of spend) a "
        "member it needs 9,866 members, which at 20.0 new members a day takes 334 days. Once there are enough, send "
        "one treatment"
    )
    enough = planned(warehouse, "merge")
    assert enough["foregone_value"] is None
    assert "may be merged, to within 5.00 (10 % of spend) a member: send one treatment" in enough["why"]


@pytest.mark.parametrize("variance", [900.0, 9_000_000.0])
@pytest.mark.parametrize("question", ["pays", "dividend", "merge"])
def test_a_difference_of_nothing_needs_no_number_of_members(
    warehouse: SmallWarehouse, question: str, variance: float
) -> None:
    settings = replace(read_settings(warehouse.con, AS_OF), least_dividend=0.0, equivalence_margin=0.0)
    row = plan("rfm", question, replace(GROUND, variance=variance), settings)
    assert (row["members_needed"], row["days"], row["effect_of_interest"]) == (None, None, 0.0)
    assert "None" not in row["why"] and "(0 % of spend)" not in row["why"] and row["why"].endswith(".")


@pytest.mark.parametrize(
    ("ground", "expected"),
    [
        (replace(GROUND, incoming=0.0), {"days": None, "members_needed": NEEDED}),
        (replace(GROUND, margin=None), {"foregone_value": None, "members_needed": NEEDED}),
        (replace(GROUND, mean=0.0), {"members_needed": None, "days": None, "smallest_effect": None}),
        (replace(GROUND, members=1), {"members_needed": None, "members_available": 1}),
    ],
)
def test_what_is_not_known_is_null_and_said(
    warehouse: SmallWarehouse, ground: Ground, expected: dict[str, Any]
) -> None:
    row = planned(warehouse, "pays", ground)
    assert {key: row[key] for key in expected} == expected
    assert row["why"].endswith(".") and ("members, " in row["why"] or ": land " in row["why"])


@pytest.mark.parametrize("segments", [1, 5])
def test_the_promised_power_is_reached(warehouse: SmallWarehouse, segments: int) -> None:
    worlds, share = 200, 0.4
    many = closed(np.random.default_rng(3), 1, 50_000, 0.5)
    left = cuped(many.after[0], many.before[0])
    ground = Ground(10**6, segments, float(left.mean()), float(left.var(ddof=1)), 20.0, None)
    settings = replace(read_settings(warehouse.con, AS_OF), least_dividend=share)
    needed = plan("s", "pays", ground, settings)["members_needed"]
    found = says_yes(closed(np.random.default_rng(4), worlds, needed, 0.5, share), segments)
    assert found >= POWER - 3 * np.sqrt(POWER * (1 - POWER) / worlds)
    # A promise, not a waste: with half of the members it is not reached.
    half = says_yes(closed(np.random.default_rng(4), worlds, needed // 2, 0.5, share), segments)
    assert half < POWER


def test_contact_persons_come_in_with_their_company(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("buying_role")
    members = [{"scheme": "buying_role", "member_id": f"p{i}", "segment": "x"} for i in range(20)]
    warehouse.insert("customer_segments", members)
    warehouse.insert(
        "behaviour_members", [{**row, "past_spend": 1.0 * (i % 3), "spend": 9.0 * i} for i, row in enumerate(members)]
    )
    warehouse.insert("stg_company_contacts", [{"person_id": f"p{i}", "company_id": f"c{i // 2}"} for i in range(20)])
    warehouse.con.execute("insert into customer_profiles select 'c' || i, date '2026-07-01' from range(9) t(i)")

    def planned_days() -> tuple[int, int | None]:
        empty = [table_of(name, []) for name in ("scheme_scorecard", "segmentation_dividend", "scheme_advice")]
        rows = experiment_plans(warehouse.con, read_settings(warehouse.con, AS_OF), *empty).to_pylist()
        return next((row["members_needed"], row["days"]) for row in rows if row["question"] == "pays")

    assert planned_days()[1] is None
    warehouse.con.execute("update segment_schemes set audience = 'company_contact'")
    needed, days = planned_days()
    # Two contact persons of each of nine companies within ninety days.
    assert days == 90 + int(np.ceil((needed - 20) / 0.2))


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
