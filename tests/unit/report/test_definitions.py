"""Definitions in the language of the page: what the seed and the model of the cut points write, told again."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from orchestration.report.definitions import definition, today
from orchestration.report.languages import Foreign, using

MODEL = Path(__file__).resolve().parents[3] / "models" / "intermediate" / "behaviour" / "int_rfm_cut_points.yml"
CHAMPIONS = "Among the latest and the most frequent buyers (R5, F4-5)."
EXAMPLES = [
    row["cut_points"]
    for test in yaml.safe_load(MODEL.read_text(encoding="utf-8"))["unit_tests"]
    for row in test["expect"]["rows"]
]


@pytest.mark.parametrize("sentence", EXAMPLES)
def test_every_sentence_that_the_model_makes_fits_a_pattern(sentence: str) -> None:
    with using("ru"):
        said = today(sentence)
    assert said is not None
    assert not any(letter.isascii() and letter.isalpha() for letter in said), said


def test_a_definition_of_the_seed_is_told_with_todays_cut_points() -> None:
    text = f"{CHAMPIONS} Today: last bought 1 to 2 days ago, in 52 to 771 baskets of the last 365 days."
    with using("ru"):
        said = definition(text)
    assert said.startswith("Покупают недавно и чаще всех (R5, F4-5). Сегодня: последняя покупка 1–2 дня назад")
    assert "52–771" in said and "365" in said
    assert definition(text) == text


def test_what_fits_no_pattern_stays_and_is_marked_as_english() -> None:
    with using("ru"):
        own = definition("People who like tea.")
        half = definition(f"{CHAMPIONS} Today: they bought whenever they liked.")
    assert isinstance(own, Foreign) and own.lang == "en" and own == "People who like tea."
    assert half.startswith("Покупают") and '<span lang="en">Today: they bought whenever they liked.</span>' in half
