"""One value as text."""

from __future__ import annotations

import re
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.accountability import plans
from orchestration.report import words
from orchestration.settings import PROJECT_DIR


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.count(1234567), "1,234,567"),
        (words.many("{n} basket", "{n} baskets", 1), "1 basket"),
        (words.many("{n} exact copy", "{n} exact copies", 0), "0 exact copies"),
        (words.money(964615.57), "964,616"),
        (words.money(45.5), "45.50"),
        (words.money(-12.345), "-12.35"),
        (words.money(4169616.7, "EUR"), "4.2 M EUR"),
        (words.money(0), "0"),
        (words.short(999_960_000), "1.0 bn"),
        (words.short(45_678), "45,678"),
        (words.share(0.1234), "12.3 %"),
        (words.share(0.0001), "< 0.1 %"),
        (words.share(0), "0.0 %"),
        (words.share(-0.0001), "0.0 %"),
        (words.share(-0.25), "-25.0 %"),
        (words.percent(0.5813), "58 %"),
        (words.percent(0.0234), "2.3 %"),
        (words.percent(209 / 210), "99.5 %"),
        (words.percent(0.99996), "> 99.9 %"),
        (words.percent(1), "100 %"),
        (words.percent(1.002), "100 %"),
        (words.share(0.99996), "> 99.9 %"),
        (words.share(sum([0.1] * 10)), "100.0 %"),
        (words.span(89), "89 days"),
        (words.span(400), "13 months"),
        (words.span(3253), "8.9 years"),
        (words.identifier("late_evening"), "Late evening"),
        (words.times(16.4152), "16 times"),
        (words.times(9.46), "9.5 times"),
        (words.chance(1e-9), "< 0.001"),
        (words.chance(0.25), "0.250"),
        (words.day(date(2017, 12, 3)), "3 December 2017"),
        (words.moment(datetime(2026, 3, 1, 4, 5)), "1 March 2026, 04:05 UTC"),
        (words.scheme_name("life_stage"), "Life stage"),
        (words.listed(["a", "b", "c"]), "a, b and c"),
        (words.listed([]), ""),
    ],
)
def test_value_is_said_in_plain_words(said: str, expected: str) -> None:
    assert said.replace("\u00a0", " ") == expected


@pytest.mark.parametrize(
    "function", [words.count, words.money, words.share, words.times, words.decimals, words.day, words.moment]
)
def test_null_is_a_dash(function) -> None:  # type: ignore[no-untyped-def]
    assert function(None) == words.NOTHING


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_finite_number_is_a_dash(value: float) -> None:
    assert words.share(value) == words.NOTHING


def test_anchors_of_names_that_look_alike_differ() -> None:
    taken: set[str] = set()
    assert [words.anchor(name, taken) for name in ("a b", "a-b", "東京", "")] == ["a-b", "a-b-2", "part", "part-2"]


@pytest.mark.parametrize(
    ("item", "label"),
    [
        ("FROZEN PIZZA", "Frozen Pizza"),
        ("FRZN MEAT/MEAT DINNERS", "FRZN Meat/Meat Dinners"),
        ("BABY HBC", "Baby HBC"),
        ("MILK BY-PRODUCTS", "Milk by-Products"),
        ("OIL AND VINEGAR", "Oil and Vinegar"),
        ("AND SO ON", "And So on"),
        ("COLA 12PK 330ML", "Cola 12PK 330ML"),
        ("MADE IN U.S. TV SETS", "Made in U.S. TV Sets"),
        ("МОЛОЧНЫЕ ПРОДУКТЫ", "Молочные Продукты"),
        ("КГБ", "КГБ"),
        ("ÉPICERIE SALÉE", "Épicerie Salée"),
        ("DON'T MISS", "Don't Miss"),
        ("iPhone CASES", "iPhone CASES"),
        ("Frozen PIZZA", "Frozen PIZZA"),
        ("frozen pizza", "frozen pizza"),
        ("حليب", "حليب"),
        ("4711", "4711"),
        ("", "–"),
        (None, "–"),
    ],
)
def test_raw_capitals_become_a_title_that_keeps_abbreviations(item: str | None, label: str) -> None:
    assert words.item_label(item) == label


@given(st.text())
def test_a_label_differs_from_its_item_in_case_alone_and_is_stable(item: str) -> None:
    label = words.item_label(item)
    cleaned = words.clean(item)
    assert label.upper().lower() == cleaned.upper().lower()
    assert words.item_label(label) == label or label == label.upper()


@given(st.text(alphabet="ABCDEFGHIJ KLMNOPQRSTUVWXYZ", min_size=1))
def test_words_with_a_vowel_are_no_longer_all_capitals_and_others_still_are(item: str) -> None:
    for word in words.item_label(item).split():
        if word == words.NOTHING:
            continue
        if not set(word.upper()) & set("AEIOUY") and len(word) > 1:
            assert word == word.upper()
        elif len(word) > 1:
            assert word != word.upper()


@given(st.floats(0, 1e15))
def test_what_people_read_is_near_what_it_was(value: float) -> None:
    said = words.short(value).replace("\u00a0", " ").replace(",", "").split()
    size = {"M": 1e6, "bn": 1e9}.get(said[1], 1) if len(said) > 1 else 1
    assert abs(float(said[0]) * size - value) <= max(0.5, 0.051 * size)


def test_every_reason_why_nothing_is_sent_has_its_words_in_the_order_in_which_they_are_asked() -> None:
    model = (PROJECT_DIR / "models/marts/treatments/audience_decisions.sql").read_text()
    found = re.findall(r"then '(.+)'", model[model.index("judged_assignments as") : model.index("as obstacle")])
    # Whether the treatment is valid is asked twice, first whether it is there at all.
    asked = list(dict.fromkeys(reversed(found)))[::-1]
    assert list(words.DECISIONS) == ["sent", *asked, "lower priority"]


def test_every_question_that_is_planned_has_its_groups_and_what_to_set() -> None:
    assert set(plans.ARMS) == set(words.QUESTIONS) == set(words.ARMS) == set(words.HOW_TO_RUN)


def test_what_is_set_for_a_test_reaches_members_who_have_an_arm_already() -> None:
    told = [plans.HOW[question] for question in plans.ARMS]
    told += [text.format_map(words.SETTINGS_OF_TESTS) for text in words.HOW_TO_RUN.values()]
    assert [text for text in told if "new treatment_id (who has an arm keeps it)" not in text] == []
