"""scheme_scorecard: each branch of the verdict by hand, and the table from small inputs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from orchestration.accountability.inputs import RefreshSettings, read_settings
from orchestration.accountability.schemas import columns_of, table_of
from orchestration.accountability.scorecard import Evidence, judge, pays, scheme_scorecard
from tests.unit.accountability.conftest import AS_OF, OUTCOME_START, SmallWarehouse


def outcome(
    name: str, effect: float | None, q_value: float | None, beyond: float | None = 0.02, power: float | None = 0.9
) -> dict[str, Any]:
    return {
        "outcome": name,
        "effect": effect,
        "p_value": q_value,
        "q_value": q_value,
        "effect_beyond_spend": beyond,
        "power": None if q_value is None else power,
    }


def on_paper(difference: str, a: str = "at_risk", b: str = "champions") -> dict[str, Any]:
    return {"segment_a": a, "segment_b": b, "difference": difference}


def in_the_log(
    verdict: str, is_well_powered: bool = True, a: str = "at_risk", b: str = "champions", members: int = 100
) -> dict[str, Any]:
    return {
        "segment_a": a,
        "segment_b": b,
        "n_a": members,
        "n_b": members,
        "verdict": verdict,
        "is_well_powered": is_well_powered,
    }


SETTINGS = RefreshSettings(AS_OF, OUTCOME_START, 90, 100, 30, 0.03, 0.01, 0.1)


GOOD = Evidence(
    scheme="rfm",
    members=400,
    all_members=500,
    members_then=300,
    touched_then=200,
    behaviour=(outcome("orders", 0.12, 0.0004, 0.03), outcome("spend", 0.05, 0.01)),
    assigned=(on_paper("both journeys"), on_paper("message")),
    delivered=(in_the_log("treated differently"), in_the_log("treated alike")),
)
WEAK = (outcome("orders", 0.0099, 0.0001), outcome("spend", 0.3, 0.05))
NO_POWER = (outcome("orders", 0.0099, 0.7, power=0.1), outcome("spend", 0.046, 0.7, power=0.79))

VERDICTS = {
    "all three hold": (GOOD, "in use"),
    "too few known today": (replace(GOOD, members=99), "unproven"),
    "just enough known today": (replace(GOOD, members=100), "in use"),
    "too few known when the period began": (replace(GOOD, members_then=99), "unproven"),
    "nothing sent": (replace(GOOD, touched_then=0), "unproven"),
    "nothing sent and no effect": (replace(GOOD, touched_then=0, behaviour=WEAK), "unproven"),
    "no outcome could be compared": (replace(GOOD, behaviour=(outcome("spend", None, None, None),)), "unproven"),
    "no outcome varies": (replace(GOOD, behaviour=(outcome("spend", 0.0, None, 0.0),)), "unproven"),
    "effects small or insignificant": (replace(GOOD, behaviour=WEAK), "superficial"),
    "effect exactly 1 %": (replace(GOOD, behaviour=(outcome("orders", 0.01, 0.0499),)), "in use"),
    "no effect, and too few to see one": (replace(GOOD, behaviour=NO_POWER), "unproven"),
    "of one outcome an effect would have been seen": (
        replace(GOOD, behaviour=(*NO_POWER, outcome("responded", 0.0, 0.9, power=0.8))),
        "superficial",
    ),
    "nothing known": (replace(GOOD, members=0, behaviour=()), "unproven"),
    "nothing known then": (replace(GOOD, members_then=0, behaviour=()), "unproven"),
    "nobody to know": (replace(GOOD, members=0, all_members=0, behaviour=()), "unproven"),
    "q exactly 5 %": (replace(GOOD, behaviour=(outcome("orders", 0.4, 0.05),)), "superficial"),
    "a smaller outcome passes": (replace(GOOD, behaviour=(*WEAK, outcome("responded", 0.02, 0.001))), "in use"),
    "superficial before the drawer": (
        replace(GOOD, behaviour=WEAK, assigned=(on_paper("nothing"),)),
        "superficial",
    ),
    "one pair with the same treatment": (
        replace(GOOD, assigned=(on_paper("nothing"), on_paper("both journeys"))),
        "in the drawer",
    ),
    "one pair with other words": (
        replace(GOOD, assigned=(on_paper("wording only"), on_paper("message"))),
        "in the drawer",
    ),
    "same on paper before power in the log": (
        replace(GOOD, assigned=(on_paper("nothing"),), delivered=(in_the_log("unproven", False),)),
        "in the drawer",
    ),
    "no pairs on paper": (replace(GOOD, assigned=()), "unproven"),
    "no well-powered pair": (replace(GOOD, delivered=(in_the_log("unproven", False),)), "unproven"),
    "a lucky small pair does not count": (
        replace(GOOD, delivered=(in_the_log("treated differently", False), in_the_log("treated alike"))),
        "in the drawer",
    ),
    "no pair in the log": (replace(GOOD, delivered=()), "unproven"),
    "most pairs sent the same": (
        replace(GOOD, delivered=(in_the_log("treated differently"), *(in_the_log("treated alike"),) * 2)),
        "in the drawer",
    ),
    "half of the pairs sent the same is not most": (GOOD, "in use"),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_verdict(case: str) -> None:
    evidence, expected = VERDICTS[case]
    verdict, why = judge(evidence, SETTINGS)
    assert verdict == expected
    assert why[0].isupper()
    assert why.endswith(".")
    # What was found, and at the end one next step.
    assert why.count("Next: ") == 1 and ". " not in why.split("Next: ")[1]
    assert "None" not in why
    assert "nan" not in why


@pytest.mark.parametrize(
    ("case", "parts"),
    [
        ("all three hold", ["12.0 %", "orders", "q < 0.001", "3.0 % beyond past spend", "1 of 2 well-powered pairs"]),
        ("too few known today", ["99 members", "100"]),
        ("nothing known", ["Nothing is known of rfm: none of the 500 members", "docs/schemes.md"]),
        ("nothing known then", ["Nothing was known of rfm 90 days ago"]),
        ("nobody to know", ["Nothing is known of rfm: its audience has no members"]),
        ("effects small or insignificant", ["30.0 %", "spend", "q = 0.050", "3.0 %", "chance of 90.0 %"]),
        ("no effect, and too few to see one", ["4.6 %", "q = 0.700", "with 300 members", "3.0 %", "79.0 %", "80.0 %"]),
        ("one pair with the same treatment", ["1 of 2 pairs", "at_risk and champions", "nothing differs"]),
        ("most pairs sent the same", ["only 1 of 3 well-powered pairs", "at_risk and champions"]),
        ("a lucky small pair does not count", ["the only well-powered pair", "at_risk and champions", "sent the same"]),
        ("a smaller outcome passes", ["2.0 %", "response to what was sent"]),
    ],
)
def test_why_names_the_numbers_that_decided(case: str, parts: list[str]) -> None:
    _, why = judge(VERDICTS[case][0], SETTINGS)
    assert [part for part in parts if part not in why] == []


def test_why_quotes_the_largest_pair_by_its_labels() -> None:
    labels = {"at_risk": "At risk", "champions": "Champions", "loyal": "Loyal customers"}
    evidence = replace(
        GOOD,
        labels=labels,
        sizes={"at_risk": 100, "champions": 200, "loyal": 300, "small": 3},
        assigned=(on_paper("nothing", "at_risk", "small"), on_paper("wording only", "champions", "loyal")),
    )
    _, why = judge(evidence, SETTINGS)
    assert "the largest Champions and Loyal customers (wording only differs)" in why
    delivered = (
        in_the_log("treated alike", a="at_risk", b="champions", members=40),
        in_the_log("treated alike", a="champions", b="small", members=70),
        in_the_log("treated alike", a="at_risk", b="loyal", members=70),
        in_the_log("treated differently", a="loyal", b="small", members=90),
    )
    _, why = judge(replace(evidence, assigned=GOOD.assigned, delivered=delivered), SETTINGS)
    assert "only 1 of 4 well-powered pairs" in why
    # Of two pairs of equal size the first by name.
    assert "At risk and Loyal customers, the largest pair of the rest" in why


def experiment(
    low: float | None,
    high: float | None,
    q_value: float | None,
    outcome: str = "spend",
    segment: str = "champions",
    treatment_id: str = "t1",
    experiment_id: str = "t1",
    is_closed: bool = True,
) -> dict[str, Any]:
    row = {"segment": segment, "outcome": outcome, "verdict_net_low": low, "verdict_net_high": high}
    row |= {"experiment_id": experiment_id, "treatment_id": treatment_id, "is_closed": is_closed}
    row |= {"uplift": 2.0, "margin_share": 0.3}
    middle = None if low is None or high is None else (low + high) / 2
    return row | {"verdict_net_value": middle, "q_value": 0.0, "verdict_q_value": q_value}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], "unproven"),
        ([experiment(1.0, 3.0, 0.01)], "yes"),
        ([experiment(1.0, 3.0, 0.05)], "unproven"),
        ([experiment(-2.0, -0.5, 0.01)], "no"),
        ([experiment(-2.0, -0.5, 0.05)], "unproven"),  # dear, and no effect: an A/A world
        # Uplift 10 (1 to 19) x 0.3 - 2.9, and a day later: spend rose, and whether by its cost nobody knows.
        ([experiment(-2.6, 2.8, 0.01)], "unproven"),
        ([experiment(-2.72, 2.68, 0.01)], "unproven"),
        ([experiment(0.0, 2.0, 0.01)], "unproven"),
        ([experiment(-2.0, 0.0, 0.01)], "unproven"),
        ([experiment(1.0, 3.0, 0.01), experiment(-2.0, -0.5, 0.01)], "unproven"),
        ([experiment(1.0, 3.0, 0.01), experiment(-2.0, -0.5, 0.5)], "yes"),
        ([experiment(1.0, 3.0, 0.01), experiment(-2.0, 0.5, 0.01)], "yes"),
        ([experiment(None, None, 0.01)], "unproven"),  # margin unknown
        ([experiment(1.0, 3.0, None)], "unproven"),  # void
        ([experiment(1.0, 3.0, 0.01, "orders")], "unproven"),
        ([experiment(1.0, 3.0, 0.01, segment="unknown")], "unproven"),
        ([experiment(1.0, 3.0, 0.01), experiment(-2.0, -0.5, 0.01, segment="unknown")], "yes"),
    ],
)
def test_pays(rows: list[dict[str, Any]], expected: str) -> None:
    assert pays(rows) == expected


def divided(
    verdict: str, experiment_id: str = "e1", is_closed: bool = True, members: int = 300, one_treatment: str = "t2"
) -> dict[str, Any]:
    row = {"verdict": verdict, "experiment_id": experiment_id, "is_closed": is_closed, "members": members}
    return row | {"one_treatment": one_treatment}


PAYS, LOSES, OPEN = experiment(1.0, 3.0, 0.01), experiment(-2.0, -0.5, 0.02), experiment(-2.6, 2.8, 0.5)
UNIFORM_PAYS = experiment(1.0, 3.0, 0.01, treatment_id="uniform", experiment_id="uniform_rfm")
OWN_PAYS = UNIFORM_PAYS | {"treatment_id": "by_segment"}
SERVES_ALL = "one treatment serves all"
HOLD_OUT = "Next: hold members out at random to learn whether it pays (experiment_plans, question pays)."
TEST_ONE = "Next: test whether one treatment for all would pay as much (experiment_plans, question dividend)."
LEARN_AGAIN = (
    "nothing paid, though what pays was sent there too. Next: hold members out again to learn which holds "
    "(experiment_plans, question pays)."
)
GIVE = "give each segment the treatment with the highest probability_best in segment_treatment_values."


@pytest.mark.parametrize(
    ("tested", "dividends", "end"),
    [
        ([], [], HOLD_OUT),
        ([OPEN], [], "was not proven. Next: hold out more (experiment_plans, question pays)."),
        (
            [OPEN, OPEN | {"is_closed": False}],
            [],
            "Next: wait until the experiment has closed, or hold out more (experiment_plans, question pays).",
        ),
        (
            [OPEN, OPEN | {"experiment_id": "uniform_rfm", "is_closed": False}],
            [],
            "Next: wait for more members, or hold out more (experiment_plans, question pays).",
        ),
        (
            [OPEN | {"is_closed": False}, OPEN | {"experiment_id": "programme", "is_closed": False}],
            [],
            "Next: wait until the experiment has closed, or hold out more (experiment_plans, question pays).",
        ),
        # Void, and those whom the scheme does not know: nobody is held out of whom anything is learned.
        ([OPEN | {"uplift": None}, OPEN | {"segment": "unknown"}], [], HOLD_OUT),
        ([OPEN | {"margin_share": None}], [], "Next: fill in unit_margin in products."),
        (
            [LOSES],
            [],
            "t1 does not pay in Champions. Next: try other treatments (seeds/treatments.csv) against a holdout.",
        ),
        (
            [LOSES, PAYS],
            [],
            "t1 pays in Champions. t1 does not pay in Champions. Next: send each segment what pays there, and stop "
            "what does not (treatment_outcomes).",
        ),
        ([PAYS], [], f"t1 pays in Champions. {TEST_ONE}"),
        ([PAYS], [divided("unproven"), divided("unproven", is_closed=False)], TEST_ONE),
        (
            [PAYS],
            [divided("unproven", "uniform_rfm", False)],
            "Next: wait for uniform_rfm, which goes on as members come in and tells at any refresh whether one "
            "treatment for all would pay as much.",
        ),
        (
            [PAYS],
            [divided("unproven"), divided("segmenting pays", "e2"), divided("nothing pays", members=200)],
            f"Telling the segments apart pays too (experiment e2). Next: {GIVE}",
        ),
        (
            [PAYS],
            [divided("segmenting pays"), divided(SERVES_ALL, "uniform_rfm", members=9, one_treatment="uniform")],
            "Sent to all, the treatment of rfm in seeds/uniform_treatments.csv would pay as much (experiment "
            "uniform_rfm). Next: send it to all.",
        ),
        ([PAYS], [divided(SERVES_ALL)], "Sent to all, t2 would pay as much (experiment e1). Next: send it to all."),
        (
            [PAYS],
            [divided(SERVES_ALL, "uniform_life_stage", one_treatment="by_segment")],
            "Sent to all, what life stage sends by segment would pay as much (experiment uniform_life_stage). Next: "
            "send it to all.",
        ),
        (
            [UNIFORM_PAYS],
            [],
            "The treatment of rfm in seeds/uniform_treatments.csv (experiment uniform_rfm) pays in Champions. "
            + TEST_ONE,
        ),
        ([OWN_PAYS], [], f"What rfm sends by segment (experiment uniform_rfm) pays in Champions. {TEST_ONE}"),
        (
            [PAYS | {"experiment_id": "programme", "treatment_id": "programme"}],
            [],
            f"What all schemes send (experiment programme) pays in Champions. {TEST_ONE}",
        ),
        ([PAYS], [divided("nothing pays")], "Next: keep what pays, and stop what was sent there."),
        ([PAYS], [divided("nothing pays", "uniform_rfm", one_treatment="none")], LEARN_AGAIN),
        ([PAYS], [divided("nothing pays", "programme", one_treatment="none")], LEARN_AGAIN),
        ([PAYS], [divided("nothing pays", "t1", one_treatment="none")], LEARN_AGAIN),
    ],
)
def test_the_next_step_of_a_scheme_in_use_is_one_that_is_not_taken_yet(
    tested: list[dict[str, Any]], dividends: list[dict[str, Any]], end: str
) -> None:
    evidence = replace(GOOD, labels={"champions": "Champions"}, tested=tuple(tested), dividends=tuple(dividends))
    verdict, why = judge(evidence, SETTINGS)
    assert verdict == "in use"
    assert why.endswith(end)
    assert why.count("Next: ") == 1 and ". " not in why.split("Next: ")[1]


def test_why_names_the_surest_of_what_pays_whatever_the_verdict() -> None:
    tested = (
        experiment(1.0, 3.0, 0.02),
        experiment(1.0, 3.0, 0.001, segment="at_risk", treatment_id="planner", experiment_id="spring"),
        experiment(1.0, 3.0, 0.02, segment="loyal"),
        experiment(-1.0, 3.0, 0.0001),
    )
    evidence = replace(GOOD, labels={"at_risk": "At risk"}, tested=tested)
    assert evidence.pays == "yes"
    named = "planner (experiment spring) pays in At risk, as in 2 more comparisons. Next: "
    assert named in judge(evidence, SETTINGS)[1]
    alike = (in_the_log("treated alike"),)
    for drawer in ({"assigned": (on_paper("nothing"),)}, {"delivered": alike}, {"delivered": alike * 2}):
        verdict, why = judge(replace(evidence, **drawer), SETTINGS)
        assert verdict == "in the drawer" and named in why


def test_card_has_coverage_the_largest_effect_and_shares_of_pairs(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    warehouse.insert(
        "customer_segments",
        [{"scheme": "rfm", "member_id": f"m{i}", "segment": "unknown" if i < 50 else "champions"} for i in range(200)],
    )
    warehouse.insert(
        "delivery_members",
        [{"scheme": "rfm", "member_id": f"m{i}", "segment": "champions", "touches": i % 2} for i in range(150)],
    )
    nothing = dict.fromkeys(
        ("evaluated_as_of", "outcome_until", "h_statistic", "p_value_beyond_spend", "q_value_beyond_spend")
    )
    behaviour = table_of(
        "segment_behaviour",
        [{"scheme": "rfm", "n": 150, "k": 3, **nothing, **row} for row in GOOD.behaviour],
    )
    distinctness = pa.Table.from_pylist(
        [{"scheme": "rfm", **on_paper("both journeys")}, {"scheme": "rfm", **on_paper("wording only", b="hibernating")}]
    )
    warehouse.insert("segments", [{"scheme": "rfm", "segment": "hibernating", "label": "Fast asleep", "members": 3}])
    numbers = dict.fromkeys(("contact_rate_a", "contact_rate_b", "touches_per_member_a", "touches_per_member_b"))
    numbers |= dict.fromkeys(("divergence", "channel_divergence", "channel_p_value", "channel_q_value"))
    numbers |= dict.fromkeys(("intensity_p_value", "intensity_q_value", "p_value", "q_value", "power"))
    logged = [
        in_the_log("treated differently"),
        in_the_log("treated alike", b="hibernating"),
        in_the_log("treated alike", b="promising"),
        in_the_log("unproven", False, b="rest"),
    ]
    delivery = table_of("treatment_delivery", [{"scheme": "rfm", **numbers, **row} for row in logged])
    outcomes, dividends = table_of("treatment_outcomes", []), table_of("segmentation_dividend", [])

    settings = read_settings(warehouse.con, AS_OF)
    nobody = table_of("prospect_segments", [])
    (card,) = scheme_scorecard(
        warehouse.con, settings, behaviour, delivery, distinctness, outcomes, dividends, nobody
    ).to_pylist()
    assert (card["members"], card["coverage"]) == (150, 0.75)
    assert (card["behaviour_effect"], card["behaviour_outcome"], card["behaviour_q_value"]) == (0.12, "orders", 0.0004)
    assert card["assigned_distinct"] == 0.5
    assert card["delivered_distinct"] == pytest.approx(1 / 3)
    assert (card["well_powered_pairs"], card["pays"], card["verdict"]) == (3, "unproven", "in the drawer")
    assert "at_risk and Fast asleep (wording only differs)" in card["why"]


EMPTY = ("segment_behaviour", "treatment_delivery", "treatment_outcomes", "segmentation_dividend")


def test_a_scheme_without_any_member_is_unproven(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("industry")
    empty = [table_of(name, []) for name in EMPTY]
    distinctness = pa.table({"scheme": pa.array([], pa.string())})
    settings = read_settings(warehouse.con, AS_OF)
    nobody = table_of("prospect_segments", [])
    (card,) = scheme_scorecard(warehouse.con, settings, *empty[:2], distinctness, *empty[2:], nobody).to_pylist()
    assert (card["members"], card["coverage"], card["verdict"]) == (0, None, "unproven")


def test_prospects_are_counted_and_never_judged(warehouse: SmallWarehouse) -> None:
    """Their segments are those of other schemes, and they have bought nothing."""
    warehouse.schemes("prospect_persona")
    empty = [table_of(name, []) for name in EMPTY]
    distinctness = pa.table({"scheme": pa.array([], pa.string())})
    blank = dict.fromkeys(columns_of("prospect_segments"))
    prospects = table_of(
        "prospect_segments",
        [
            {**blank, "scheme": "life_stage", "prospect_id": f"x{n}", "segment": segment}
            for n, segment in enumerate(["family", "family", "couple", "unknown"])
        ],
    )
    settings = read_settings(warehouse.con, AS_OF)
    (card,) = scheme_scorecard(warehouse.con, settings, *empty[:2], distinctness, *empty[2:], prospects).to_pylist()
    assert (card["members"], card["coverage"], card["verdict"], card["pays"]) == (3, 0.75, "unproven", "unproven")
    assert card["why"].startswith("3 of 4 prospects have a segment")
