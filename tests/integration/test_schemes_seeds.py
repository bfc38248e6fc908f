"""The rule seeds as they are shipped, and as the demo has them: complete, and what dbt's unit tests say they are.

dbt cannot read a seed's empty number in a unit test, so those tests hold copies; here the copies are held to the seeds.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.project import ROOT, seed_rows

COPIES = {
    "models/marts/segments/scheme_properties/life_stage.yml": ["life_stage_rules"],
    "models/marts/segments/scheme_properties/socioeconomic.yml": ["socioeconomic_rules"],
    "models/intermediate/orders/int_basket_occasions.yml": ["occasion_rules"],
    "models/intermediate/profiles/int_profiles.yml": ["age_bands", "income_bands"],
}
# A test that gives fewer rows than this means to try other rules than the seed's.
FEWEST_OF_A_COPY = 4


def shipped(name: str) -> list[dict[str, str]]:
    with (ROOT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# What is shipped for everybody, and the demo's words in their places.
SETS = {"shipped": shipped, "demo": seed_rows}
seed = shipped


def written(value: Any) -> str:
    """A YAML value as the CSV holds it."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def copies(path: str, name: str) -> list[list[dict[str, Any]]]:
    tests = yaml.safe_load(Path(ROOT / path).read_text(encoding="utf-8"))["unit_tests"]
    given = [item for test in tests for item in test["given"] if item["input"] == f"ref('{name}')"]
    return [item["rows"] for item in given if len(item.get("rows") or []) >= FEWEST_OF_A_COPY]


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, names in COPIES.items() for name in names])
def test_copies_of_a_seed_in_unit_tests_are_the_seed(path: str, name: str) -> None:
    found = copies(path, name)
    assert found
    for rows in found:
        columns = list(rows[0])
        assert [{c: written(row[c]) for c in columns} for row in rows] == [
            {c: row[c] for c in columns} for row in seed(name)
        ]


def test_every_basket_has_an_occasion() -> None:
    """Every number of lines, weekday and hour is covered by a rule; none falls to `mixed`."""
    rules = seed("occasion_rules")

    def covers(rule: dict[str, str], lines: int, weekday: int, hour: int) -> bool:
        return (
            int(rule["min_items"] or 0) <= lines <= int(rule["max_items"] or 10**9)
            and int(rule["first_weekday"]) <= weekday <= int(rule["last_weekday"])
            and int(rule["first_hour"]) <= hour <= int(rule["last_hour"])
        )

    for lines in (1, 2, 19, 20, 21, 500):
        for weekday in range(1, 8):
            for hour in range(24):
                assert any(covers(rule, lines, weekday, hour) for rule in rules), (lines, weekday, hour)


def test_every_pair_of_scores_has_a_segment() -> None:
    pairs = {(row["recency_score"], row["frequency_score"]) for row in seed("rfm_grid")}
    assert pairs == {(r, f) for r in "12345" for f in "12345"}


@pytest.mark.parametrize(
    ("name", "lowest", "highest"), [("age_bands", "min_age", "max_age"), ("income_bands", "min_income", "max_income")]
)
def test_bands_follow_each_other_without_gap_or_overlap(name: str, lowest: str, highest: str) -> None:
    bands = seed(name)
    assert [int(row[highest]) + 1 for row in bands[:-1]] == [int(row[lowest]) for row in bands[1:]]
    assert bands[-1][highest] == ""


@pytest.mark.parametrize(
    ("rules", "scheme"),
    [
        ("rfm_grid", "rfm"),
        ("life_stage_rules", "life_stage"),
        ("money_effort_rules", "money_effort"),
        ("socioeconomic_rules", "socioeconomic"),
    ],
)
def test_every_defined_segment_can_be_reached_by_a_rule_and_no_other(rules: str, scheme: str) -> None:
    defined = {row["segment"] for row in seed("segment_definitions") if row["scheme"] == scheme}
    assert {row["segment"] for row in seed(rules)} - {"unknown"} == defined


@pytest.mark.parametrize("scheme", ["job_to_be_done", "purchase_motive", "lifestyle"])
def test_every_defined_meaning_is_that_of_a_category_and_no_other(scheme: str) -> None:
    defined = {row["segment"] for row in seed_rows("segment_definitions") if row["scheme"] == scheme}
    assert {row[scheme] for row in seed_rows("category_meanings")} - {""} == defined


@pytest.mark.parametrize("words", sorted(SETS))
def test_every_segment_of_an_active_closed_scheme_has_a_treatment(words: str) -> None:
    seed = SETS[words]
    active = {
        row["scheme"]
        for row in seed("segment_schemes")
        if row["is_active"] == "true" and row["is_data_driven"] == "false"
    }
    defined = {(row["scheme"], row["segment"]) for row in seed("segment_definitions") if row["scheme"] in active}
    treated = {(row["scheme"], row["segment"]) for row in seed("treatments")}
    assert sorted(defined - treated) == []


@pytest.mark.parametrize("words", sorted(SETS))
def test_definitions_say_what_the_rules_do(words: str) -> None:
    """Half of the baskets is enough for an occasion, and revenue where employees are not known for a size."""
    defined = {(row["scheme"], row["segment"]): row["definition"] for row in SETS[words]("segment_definitions")}
    occasions = {segment: text for (scheme, segment), text in defined.items() if scheme == "occasion"}
    del occasions["mixed"]
    sizes = [text for (scheme, _), text in defined.items() if scheme == "company_size"]
    assert occasions and sizes
    assert [segment for segment, text in occasions.items() if not text.startswith("At least half of the baskets")] == []
    assert [text for text in sizes if "revenue" not in text] == []
