"""One value as text."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from orchestration.report import words


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.count(1234567), "1,234,567"),
        (words.counted(1, "basket"), "1 basket"),
        (words.counted(0, "exact copy", "exact copies"), "0 exact copies"),
        (words.money(964615.57), "964,616"),
        (words.money(45.5), "45.50"),
        (words.money(-12.345), "-12.35"),
        (words.share(0.1234), "12.3 %"),
        (words.share(0.0001), "< 0.1 %"),
        (words.share(0), "0.0 %"),
        (words.share(-0.0001), "0.0 %"),
        (words.share(-0.25), "-25.0 %"),
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
    assert said == expected


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
