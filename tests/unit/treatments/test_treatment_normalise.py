"""What does and what does not change a text in the eyes of a customer."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.seeds.wordings import Wordings, canonical, same_to_the_eye, similarity

WORDINGS = Wordings(["SOFT DRINKS", "BEEF", "PORK", "CHEESE", "CHEESES"])
words = st.lists(st.text(string.ascii_letters + "äéßøж", min_size=1, max_size=8), min_size=1, max_size=8)


@given(st.text())
def test_canonical_is_idempotent(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


@given(words, st.lists(st.sampled_from([" ", "  ", "\t", "\u00a0", "\u2003", " - ", ", ", "! ", " … "]), min_size=8))
def test_spaces_and_punctuation_between_words_do_not_count(parts: list[str], gaps: list[str]) -> None:
    spread = "".join(part + gap for part, gap in zip(parts, gaps, strict=False))
    assert canonical(spread) == canonical(" ".join(parts))


@given(words)
def test_case_does_not_count(parts: list[str]) -> None:
    text = " ".join(parts)
    assert canonical(text.upper()) == canonical(text.lower()) == canonical(text)


@given(words, st.sampled_from(["\u200b", "\u00ad", "\ufeff", "\u200e"]))
def test_invisible_characters_do_not_count(parts: list[str], invisible: str) -> None:
    text = " ".join(parts)
    assert canonical(invisible.join(text)) == canonical(text)


@given(st.text(), st.text())
def test_alike_and_similarity_are_symmetric(a: str, b: str) -> None:
    assert WORDINGS.alike(a, b) == WORDINGS.alike(b, a)
    assert similarity(a, b) == similarity(b, a)


@given(words, words)
def test_alike_is_symmetric_on_sentences(a: list[str], b: list[str]) -> None:
    shared = "five dinners from one pan ready in twenty minutes tonight"
    one, other = f"{shared} {' '.join(a)}", f"{' '.join(b)} {shared}"
    assert WORDINGS.alike(one, other) == WORDINGS.alike(other, one)


@given(st.text())
def test_a_text_is_like_itself(text: str) -> None:
    assert WORDINGS.alike(text, text)
    assert WORDINGS.alike(text, f" {text} ")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("ﬁne Ｆｏｏｄ", "fine food"),
        ("cafe\u0301 au lait", "CAFÉ AU LAIT"),
        ("Stock-up", "stock up"),
        ("you're", "you’re"),
        ("20%off!", "20 % off"),
        ("$1,000", "$1000.00"),
        ("2,50 €", "2.5€"),
        ("Straße", "STRASSE"),
        (None, " "),
    ],
)
def test_same_to_the_eye(a: str | None, b: str | None) -> None:
    assert same_to_the_eye(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [("10 % off", "20 % off"), ("1.5 kg", "15 kg"), ("1 0", "10"), ("5 $", "5 €"), ("beer", "beef"), ("text", "")],
)
def test_not_same_to_the_eye(a: str, b: str) -> None:
    assert not same_to_the_eye(a, b)


LONG = "your favourites are waiting on the shelf, and this week's basket costs less than the one before"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Hi, " + LONG, "Hello, " + LONG),
        ("Dear neighbour, " + LONG, LONG),
        ("Good morning! " + LONG, "Dear customer: " + LONG),
        ("Free delivery on Friday", "Free deliveries on Friday"),
        ("We would love to see you", "We'd love to see you!"),
        ("Two offers for you", "2 offers"),
        ("10 percent off", "10 % off"),
        ("Free coffee on Friday and cake on Sunday", "cake on Sunday, and free coffee on Friday"),
        (LONG + ". Best regards, your store", LONG),
    ],
)
def test_near_identical_wording_is_alike(a: str, b: str) -> None:
    assert WORDINGS.alike(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("10 % off " + LONG, "20 % off " + LONG),
        (LONG + " for $5", LONG + " for €5"),
        (LONG + " with beef", LONG + " with pork"),
        (LONG + " with CHEESE", LONG + " with CHEESES"),
        (LONG, LONG.replace("week", "month")),
        ("Buy 2 get 1", "Buy 1 get 2"),
        (LONG + " with delivery", LONG + " without delivery"),
        (LONG + " and it is not free", LONG + " and it is free"),
        ("Hello", ""),
        ("Free delivery on Friday", "A tasting at the cheese counter"),
        (LONG, LONG + " and somebody carries the bags home"),
    ],
)
def test_another_promise_is_not_alike(a: str, b: str) -> None:
    assert not WORDINGS.alike(a, b)
