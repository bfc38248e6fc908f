"""The difference levels of the contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.seeds.treatments import Treatment, spell_out
from orchestration.seeds.wordings import Wordings
from orchestration.treatments.compare import compare

WORDINGS = Wordings()
BASE = Treatment(
    treatment_id="a",
    scheme="s",
    segment="a",
    value_proposition="More for less",
    proof="Prices on the shelf",
    tone_of_voice="Warm",
    channel="email",
    message="Hi, your favourites are waiting for you on the shelf by the entrance of the store",
    offer="10 % off",
    product_adaptation="Small packs",
    service_level="Answer within a day",
    owner="loyalty",
    template_id="a",
)


@pytest.mark.parametrize(
    ("changes", "level", "fields"),
    [
        ({}, "nothing", ()),
        ({"treatment_id": "b", "segment": "b", "template_id": "b"}, "nothing", ()),
        ({"owner": "pricing"}, "wording only", ("owner",)),
        ({"valid_from": date(2020, 1, 1)}, "wording only", ("valid_from",)),
        ({"review_on": date(2020, 1, 1)}, "wording only", ("review_on",)),
        (
            {"value_proposition": "Time", "tone_of_voice": "Cool"},
            "wording only",
            ("tone_of_voice", "value_proposition"),
        ),
        ({"message": BASE.message.upper() + "!!"}, "wording only", ("message",)),
        ({"message": BASE.message.replace("Hi,", "Hello,")}, "wording only", ("message",)),
        ({"offer": "10% OFF."}, "wording only", ("offer",)),
        ({"message": "Dinner is ready"}, "message", ("message",)),
        ({"offer": "20 % off"}, "channel or offer", ("offer",)),
        ({"channel": "sms", "message": "Dinner is ready"}, "channel or offer", ("channel", "message")),
        ({"offer_item": "BEEF"}, "channel or offer", ("offer_item",)),
        ({"product_adaptation": "Family packs"}, "product or service", ("product_adaptation",)),
        ({"service_level": ""}, "product or service", ("service_level",)),
        ({"message": "Dinner is ready", "service_level": "None"}, "both journeys", ("message", "service_level")),
    ],
)
def test_level_and_fields_of_a_single_change(changes: dict, level: str, fields: tuple[str, ...]) -> None:
    difference = compare([BASE], [replace(BASE, **changes)], WORDINGS)
    assert (difference.level, difference.fields) == (level, fields)
    assert compare([replace(BASE, **changes)], [BASE], WORDINGS) == difference


def test_message_similarity_is_1_for_equal_messages_and_null_without() -> None:
    assert compare([BASE], [replace(BASE, channel="sms")], WORDINGS).message_similarity == 1
    assert compare([BASE], [replace(BASE, message="")], WORDINGS).message_similarity is None


def test_message_similarity_is_the_indel_ratio_of_what_the_eye_sees() -> None:
    # abcd / abxd: 8 letters, longest common subsequence 3, so 2 * 3 / 8.
    one, other = replace(BASE, message="ABCD!"), replace(BASE, message="abxd")
    assert compare([one], [other], WORDINGS).message_similarity == 0.75


def test_the_order_of_several_treatments_does_not_count() -> None:
    second = replace(BASE, channel="sms", message="Dinner is ready")
    assert compare([BASE, second], [second, BASE], WORDINGS).level == "nothing"


def test_a_treatment_written_twice_is_still_one_treatment() -> None:
    assert compare([BASE, replace(BASE, treatment_id="again")], [BASE], WORDINGS).level == "nothing"


def test_an_additional_treatment_is_a_difference() -> None:
    second = replace(BASE, channel="sms", message="Dinner is ready")
    difference = compare([BASE, second], [BASE], WORDINGS)
    assert (difference.level, difference.fields) == ("channel or offer", ("channel", "message"))


def test_the_same_values_in_other_combinations_are_a_difference() -> None:
    dinner = "Dinner is ready"
    one = [BASE, replace(BASE, channel="sms", message=dinner)]
    other = [replace(BASE, message=dinner), replace(BASE, channel="sms")]
    assert compare(one, other, WORDINGS).fields == ("message",)
    assert compare(other, one, WORDINGS).fields == ("message",)


def test_a_segment_without_treatment_differs_from_one_with() -> None:
    assert compare([BASE], [], WORDINGS).level == "both journeys"
    assert compare([], [], WORDINGS).level == "nothing"


TEMPLATE = replace(BASE, segment="*", message="New in {label}", labelled=frozenset({"message"}))


def test_segments_served_by_one_row_differ_in_what_their_label_is_put_into() -> None:
    soft, typo = spell_out([TEMPLATE], True, {"soft_drinks": "SOFT DRINKS", "softdrinks": "SOFTDRINKS"})
    assert soft.message == "New in SOFT DRINKS"
    assert compare([soft], [typo], WORDINGS).fields == ("message",)


def test_segments_served_by_one_row_without_placeholder_are_treated_alike() -> None:
    plain = replace(TEMPLATE, message="New today", proof="{label} on the shelf", labelled=frozenset({"proof"}))
    beef, pork = spell_out([plain], True, {"beef": "BEEF", "pork": "PORK"})
    difference = compare([beef], [pork], WORDINGS)
    assert (difference.level, difference.fields) == ("wording only", ("proof",))


def test_a_template_does_not_serve_unknown_or_a_segment_with_a_row_of_its_own() -> None:
    own = replace(BASE, treatment_id="own", segment="beef")
    rows = spell_out([TEMPLATE, own], True, {"beef": "BEEF", "pork": "PORK", "unknown": "Unknown"})
    assert [(row.treatment_id, row.segment) for row in rows] == [("a_pork", "pork"), ("own", "beef")]


def test_a_template_with_a_subset_serves_the_labels_that_match_and_the_others_leave_them() -> None:
    subset = replace(TEMPLATE, treatment_id="s", subset=("BABY%", "_orn (a+b)"))
    labels = {"baby": "Baby food", "corn": "Corn (A+B)", "acorn": "Acorn (a+b)", "beef": "BEEF", "cigars": "CIGARS"}
    rows = spell_out([TEMPLATE, subset], True, labels, {"cigars", "corn"})
    assert [(row.treatment_id, row.segment) for row in rows] == [
        ("a_acorn", "acorn"),
        ("a_beef", "beef"),
        ("s_baby", "baby"),
    ]
    # Nobody is left for it: it stays as it is written.
    alone = spell_out([subset], True, {"beef": "BEEF"})
    assert [(row.treatment_id, row.segment) for row in alone] == [("s", "*")]


texts = st.sampled_from(["", "10 % off", "20 % off", "10% OFF!", "Hello, come in", "Hi, come in"])
treatments = st.lists(
    st.builds(
        lambda c, m, o, s: replace(BASE, channel=c, message=m, offer=o, service_level=s),
        st.sampled_from(["sms", "email"]),
        texts,
        texts,
        texts,
    ),
    max_size=3,
)


@given(treatments, treatments)
def test_compare_is_symmetric(a: list[Treatment], b: list[Treatment]) -> None:
    assert compare(a, b, WORDINGS) == compare(b, a, WORDINGS)


@given(treatments)
def test_a_set_of_treatments_does_not_differ_from_itself(a: list[Treatment]) -> None:
    assert compare(a, list(reversed(a)), WORDINGS).level == "nothing"
