"""The tables of prospects from small worlds: truth, noise, protection, order, and every odd input."""

from __future__ import annotations

import json
import random

import pytest

from orchestration.prospects.attributes import (
    ATTRIBUTES,
    allowed,
    divides_by_forbidden,
    fitted_for,
    learnable,
    only_telling,
    telling,
)
from orchestration.prospects.personas import nearest_persona
from tests.unit.prospects.conftest import COLUMNS, Shop, firms, households

pd = pytest.importorskip("pandas")


def test_a_prospect_gets_the_segment_of_those_who_say_the_same(shop: Shop) -> None:
    shop.customers("life_stage", households())
    shop.say("prospect", [{"member_id": "x1", "employment": "student"}, {"member_id": "x2", "employment": "retired"}])
    shop.con.execute(
        "insert into contact_permissions values ('x1', 'app', 'consent', 'x1'), ('x1', 'mail', 'refused', 'x1')"
    )
    found = shop.prospects()
    assert {name: row["segment"] for name, row in found.items()} == {"x1": "student", "x2": "pensioner"}
    one = found["x1"]
    # 0.9 by truth, and a third of the rest.
    assert one["score"] == pytest.approx(0.9 + 0.1 / 3, abs=0.05)
    assert (one["scheme"], one["evidence"], one["outcome"]) == ("life_stage", "inferred", "scored")
    # The valid treatment, not those of before and after; its channel, and consent on that alone.
    assert (one["treatment_id"], one["channel"], one["permission"], one["is_contactable"], one["person_id"]) == (
        "t2",
        "app",
        "consent",
        True,
        "x1",
    )
    assert (found["x2"]["treatment_id"], found["x2"]["permission"], found["x2"]["is_contactable"]) == (
        "t3",
        None,
        False,
    )
    reason = json.loads(one["reason"])
    assert [because["attribute"] for because in reason["because"]] == ["employment"]
    assert reason["because"][0]["points"] > 0.5
    assert max(reason["chances"], key=reason["chances"].get) == "student"


def test_a_treatment_without_a_channel_is_not_given_that_of_the_next(shop: Shop) -> None:
    shop.customers("life_stage", households())
    shop.say("prospect", [{"member_id": "x1", "employment": "student"}])
    shop.con.execute("insert into treatments values ('t1a', 'life_stage', 'student', null, null, null)")
    shop.con.execute("insert into contact_permissions values ('x1', 'app', 'consent', 'x1')")
    one = shop.prospects()["x1"]
    assert (one["treatment_id"], one["channel"], one["is_contactable"]) == ("t1a", None, False)


def test_the_treatment_of_unknown_members_is_not_given_to_prospects_without_a_segment(shop: Shop) -> None:
    shop.customers("life_stage", households())
    shop.say("prospect", [{"member_id": "x1"}])
    shop.con.execute("insert into treatments values ('t9', 'life_stage', 'unknown', 'app', null, null)")
    shop.con.execute("insert into contact_permissions values ('x1', 'app', 'consent', 'x1')")
    one = shop.prospects()["x1"]
    assert (one["segment"], one["treatment_id"], one["channel"], one["is_contactable"]) == (
        "unknown",
        None,
        None,
        False,
    )


def test_one_prospect_alone_is_scored_like_one_of_many(shop: Shop) -> None:
    shop.customers("life_stage", households())
    shop.say("prospect", [{"member_id": "only", "employment": "retired"}])
    found = shop.prospects()
    assert [(name, row["segment"], row["outcome"]) for name, row in found.items()] == [("only", "pensioner", "scored")]


def test_one_prospect_who_says_nothing_is_told_so(shop: Shop) -> None:
    shop.customers("life_stage", households())
    shop.say("prospect", [{"member_id": "only"}])
    assert {name: (row["segment"], row["outcome"]) for name, row in shop.prospects().items()} == {
        "only": ("unknown", "says nothing")
    }


def test_models_are_reported_with_their_parts(shop: Shop) -> None:
    shop.customers("life_stage", households())
    shop.say("prospect", [{"member_id": f"x{i}", "employment": "student"} for i in range(3)])
    (model,) = shop.tables()["prospect_models"]
    assert (model["attributes"], model["prospects"], model["beats_base"]) == ("employment", 3, True)
    assert model["members_fitted"] + model["members_calibrated"] + model["members_judged"] == 400
    assert sum(row["members"] for row in json.loads(model["reliability"])) == model["members_judged"]
    assert set(json.loads(model["candidates"])) == {"nearest profile", "logistic regression", "gradient boosting"}


def test_noise_gives_unknown_to_all(shop: Shop) -> None:
    shop.customers("life_stage", households(noise=True))
    shop.say(
        "prospect",
        [
            {"member_id": f"{job}-{place}", "employment": job, "settlement": place}
            for job in ("student", "retired", "employed")
            for place in ("urban", "rural")
        ],
    )
    found = shop.prospects().values()
    assert {(row["segment"], row["score"], row["outcome"]) for row in found} == {
        ("unknown", None, "no better than the base rate")
    }
    assert len(found) == 6


def test_a_protected_attribute_changes_nothing(shop: Shop) -> None:
    """Gender decides the segment as planted, and may not be used: who says another one is scored the same."""
    rows = households()
    for row in rows:
        row["segment"] = "student" if row["gender"] == "male" else row["segment"]
    shop.customers("life_stage", rows)
    shop.say(
        "prospect",
        [
            {"member_id": f"{gender}-{job}", "employment": job, "gender": gender}
            for gender in ("female", "male")
            for job in ("retired", "employed", "student")
        ]
        + [{"member_id": "gender alone", "gender": "male"}],
    )
    found = shop.prospects()
    for job in ("retired", "employed", "student"):
        one, other = found[f"female-{job}"], found[f"male-{job}"]
        assert [one[c] for c in ("segment", "score", "reason")] == [other[c] for c in ("segment", "score", "reason")]
        assert "gender" not in one["reason"]
    assert found["gender alone"]["outcome"] == "says nothing"
    # Allowed, it does.
    shop.con.execute("update protected_attributes set is_forbidden = false")
    found = shop.prospects()
    assert found["male-retired"]["segment"] == "student" != found["female-retired"]["segment"]


def test_what_is_read_from_a_protected_attribute_goes_with_it() -> None:
    assert allowed("person", {"birth_date"}) == tuple(a for a in ATTRIBUTES["person"] if a != "age_band")
    assert {"adults", "has_children"}.isdisjoint(allowed("person", {"children"}))
    assert "adults" not in allowed("person", {"marital_status"}) and "has_children" in allowed(
        "person", {"marital_status"}
    )
    assert "income_band" not in allowed("person", {"annual_income"})
    assert allowed("company", set()) == ATTRIBUTES["company"]
    assert set(ATTRIBUTES["person"]) | set(ATTRIBUTES["company"]) <= set(COLUMNS)


def test_a_scheme_of_a_protected_attribute_is_not_guessed_from_others(shop: Shop) -> None:
    shop.con.execute("update prospect_schemes set scheme = 'gender' where kind = 'person'")
    shop.customers("gender", [{**row, "segment": row["gender"]} for row in households()])
    shop.say("prospect", [{"member_id": "x", "employment": "student"}])
    assert shop.prospects()["x"]["outcome"] == "protected scheme"


@pytest.mark.parametrize("attribute", ["age_band", "birth_date", "children", "employment"])
def test_a_scheme_that_divides_by_a_protected_attribute_is_not_guessed_from_others(shop: Shop, attribute: str) -> None:
    shop.customers("life_stage", households(20))
    shop.con.execute(
        """update customer_segments set reason = '{"rule": 1, "age_band": null, "employment": "student"}'"""
    )
    shop.con.execute("update customer_segments set reason = '{\"has_children\": 0}' where member_id = 'c7'")
    shop.con.execute("insert into customer_segments values ('life_stage', 'odd', 'student', 'no JSON')")
    shop.con.execute("insert into customer_segments values ('rfm', 'c7', 'student', '{\"region\": 1}')")
    shop.say("prospect", [{"member_id": "x", "settlement": "urban"}])
    shop.say("persona", [{"member_id": "sharer", "settlement": "urban"}])
    for scheme, forbidden, is_protected in (
        ("life_stage", {attribute}, True),
        ("life_stage", {"region", "gender"}, False),
        ("life_stage", set(), False),
        ("rfm", {"region"}, True),
        ("rfm", {attribute}, False),
    ):
        assert divides_by_forbidden(shop.con, scheme, forbidden) == is_protected, (scheme, forbidden)
    shop.con.execute("delete from protected_attributes")
    shop.con.execute("insert into protected_attributes values (?, true)", [attribute])
    assert shop.prospects()["x"]["outcome"] == "protected scheme"


def test_the_order_of_rows_changes_nothing() -> None:
    asked = [
        {"member_id": f"x{i}", "employment": job, "settlement": place}
        for i, (job, place) in enumerate(
            (j, p) for j in ("student", "retired", "employed", None) for p in ("urban", None)
        )
    ]
    found = []
    for seed in (1, 2):
        world = Shop()
        rows, prospects = households(), list(asked)
        random.Random(seed).shuffle(rows)
        random.Random(seed).shuffle(prospects)
        world.customers("life_stage", rows)
        world.say("prospect", prospects)
        found.append(world.tables())
    assert found[0] == found[1]
    assert len(found[0]["prospect_segments"]) == 8


def test_companies_only(shop: Shop) -> None:
    shop.customers("company_size", firms(), "company")
    shop.say(
        "prospect",
        [{"member_id": "tiny", "employees": 3.0}, {"member_id": "huge", "employees": 900.0, "industry": "bau"}],
        "company",
    )
    found = shop.prospects()
    assert {name: (row["scheme"], row["segment"]) for name, row in found.items()} == {
        "tiny": ("company_size", "small"),
        "huge": ("company_size", "large"),
    }


def test_of_a_company_the_contact_person_who_agreed_is_named(shop: Shop) -> None:
    shop.customers("company_size", firms(), "company")
    shop.con.execute("insert into treatments values ('t9', 'company_size', 'small', 'mail', null, null)")
    shop.con.execute(
        "insert into contact_permissions values"
        " ('p9', 'mail', 'consent', 'y2'), ('y1', 'mail', 'refused', 'y1'), ('p8', 'mail', 'no contact person', null)"
    )
    shop.say("prospect", [{"member_id": member, "employees": 3.0} for member in ("p8", "p9")], "company")
    found = shop.prospects()
    assert {name: (row["is_contactable"], row["person_id"]) for name, row in found.items()} == {
        "p8": (False, None),
        "p9": (True, "y2"),
    }


def test_no_prospects_no_rows_and_one_prospect_one_row(shop: Shop) -> None:
    shop.customers("life_stage", households())
    assert [len(rows) for rows in shop.tables().values()] == [0, 0, 0]
    shop.say("prospect", [{"member_id": "only", "employment": "student"}])
    assert len(shop.prospects()) == 1


def test_every_prospect_has_a_row_and_a_reason_when_nothing_can_be_told(shop: Shop) -> None:
    """No attribute, values of 500 signs that nobody shares, a kind without customers or without a scheme."""
    shop.customers("life_stage", households(120))
    shop.say(
        "prospect",
        [
            {"member_id": "bare"},
            {"member_id": "odd", "region": "🙂" * 500, "country": "x" * 500},
            {"member_id": "rich", "income_band": "100-124K"},
        ],
    )
    shop.say("prospect", [{"member_id": "firm", "employees": 3.0}, {"member_id": "bare firm"}], "company")
    outcomes = {name: (row["scheme"], row["segment"], row["outcome"]) for name, row in shop.prospects().items()}
    assert outcomes == {
        "bare": ("life_stage", "unknown", "says nothing"),
        "odd": ("life_stage", "unknown", "nothing in common"),
        "rich": ("life_stage", "unknown", "nothing in common"),
        "firm": ("company_size", "unknown", "nothing in common"),
        "bare firm": ("company_size", "unknown", "says nothing"),
    }
    shop.con.execute("delete from prospect_schemes where kind = 'company'")
    shop.con.execute("update prospect_schemes set scheme = 'asleep'")
    assert {row["outcome"] for row in shop.prospects().values()} == {"no scheme for its kind"}
    assert shop.prospects()["firm"]["scheme"] == "prospect_persona"
    assert shop.tables()["prospect_models"] == []


def test_below_the_threshold_is_unknown_with_its_score(shop: Shop) -> None:
    shop.con.execute("update prospect_schemes set min_score = 0.99")
    shop.customers("life_stage", households())
    shop.say("prospect", [{"member_id": "x", "employment": "student"}])
    found = shop.prospects()["x"]
    assert (found["segment"], found["evidence"], found["outcome"]) == ("unknown", "unknown", "below the threshold")
    assert 0.8 < found["score"] < 0.99 and found["treatment_id"] is None


# ---- personas --------------------------------------------------------------------------------------------------------


def test_personas_have_their_rules_segment_else_the_models(shop: Shop) -> None:
    shop.customers("life_stage", households())
    shop.con.execute("insert into personas values ('sharer', 'person', 'Four students'), ('elder', 'person', 'Old')")
    shop.con.execute("insert into persona_segments values ('life_stage', 'sharer', 'student', 'declared')")
    shop.con.execute("insert into persona_segments values ('life_stage', 'elder', 'unknown', 'unknown')")
    persona = {"settlement": "urban", "home_ownership": "renter", "marital_status": "single"}
    shop.say("persona", [{"member_id": "sharer", "employment": "student", **persona}])
    shop.say("persona", [{"member_id": "elder", "employment": "retired"}])
    shop.say("prospect", [{"member_id": "near", "employment": "student", **persona, "age_band": "19-24"}])
    shop.say("prospect", [{"member_id": "far", "employment": "retired"}])
    rows = {row["persona_id"]: row for row in shop.tables()["prospect_personas"]}
    sharer, elder = rows["sharer"], rows["elder"]
    assert (sharer["segment"], sharer["evidence"], sharer["score"]) == ("student", "declared", None)
    assert (elder["segment"], elder["evidence"]) == ("pensioner", "inferred") and elder["score"] > 0.8
    assert (sharer["prospects_near"], elder["prospects_near"]) == (1, 0)
    found = shop.prospects()
    assert (found["near"]["persona_id"], found["near"]["persona_share"]) == ("sharer", 1.0)
    assert found["far"]["persona_id"] is None


def test_near_is_a_share_of_what_both_say() -> None:
    personas = pd.DataFrame(
        [["a", "b", "c", "d"], ["a", "b", "c", None], ["z", "z", "z", "z"]],
        columns=list("wxyz"),
        index=["p1", "p2", "p3"],
        dtype=object,
    )
    assert nearest_persona(["a", "b", "c", "d"], personas, 0.75) == ("p1", 1.0)
    # Three of three is more than three of four.
    assert nearest_persona(["a", "b", "c", "x"], personas, 0.75) == ("p2", 1.0)
    assert nearest_persona(["a", "b", "x", "d"], personas, 0.75) == ("p1", 0.75)
    assert nearest_persona(["a", "b", "x", "x"], personas, 0.75) == (None, None)
    # Two things in common are chance.
    assert nearest_persona(["a", "b", None, None], personas, 0.75) == (None, None)
    assert nearest_persona([float("nan"), "b", "c", "d"], personas, 0.75) == ("p1", 1.0)


# ---- who is compared with whom ------------------------------------------------------------------------------------


def test_values_that_few_customers_have_say_nothing() -> None:
    frame = pd.DataFrame({"region": ["north"] * 10 + ["south"] * 10 + ["isle"] * 9 + [None]}, dtype=object)
    values = telling(frame, ["region"])
    assert values == {"region": frozenset({"north", "south"})}
    assert only_telling(frame, values)["region"].notna().sum() == 20
    # One value tells nobody apart.
    assert telling(frame.iloc[:15], ["region"]) == {}


def test_attributes_are_left_out_until_enough_customers_say_the_rest() -> None:
    frame = pd.DataFrame({"a": ["v"] * 100, "b": ["v"] * 60 + [None] * 40, "c": [None] * 50 + ["v"] * 50}, dtype=object)
    every = frozenset("abc")
    assert learnable(every, frame, 10) == every
    # All three: 10. Without c 60, without b 50.
    assert learnable(every, frame, 11) == {"a", "b"}
    assert learnable(every, frame, 61) == {"a"}
    assert learnable(every, frame, 101) == frozenset()
    assert learnable(frozenset(), frame, 1) == frozenset()


def test_another_set_is_scored_by_the_largest_model_within_it() -> None:
    fitted = [frozenset("ab"), frozenset("c"), frozenset("bd")]
    assert fitted_for(frozenset("abd"), fitted) == frozenset("ab")
    assert fitted_for(frozenset("cd"), fitted) == frozenset("c")
    assert fitted_for(frozenset("a"), fitted) == frozenset()
