"""What the demo's report says about selling: pairs that anyone in the trade would look for, by readable names."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from orchestration.report import words
from tests.support.page_reader import Page

pytestmark = pytest.mark.demo

TOGETHER = ("Subcategories bought in one basket", "Subcategories whose ties make most baskets")


@pytest.fixture(scope="module")
def page(demo_refresh: Path) -> Page:
    """The report's page on selling."""
    html = (demo_refresh / "published" / "report.html").read_text(encoding="utf-8")
    return Page(html).part("selling")


@pytest.fixture(scope="module")
def whole(demo_refresh: Path) -> Page:
    return Page((demo_refresh / "published" / "report.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("antecedent", "consequent"),
    [
        ("Frosting", "Layer Cake Mix"),
        ("Baby Diapers", "Baby Wipes"),
        ("Mexican Taco Tostado Shells", "Mexican Seasoning Mixes"),
        ("Dry Noodles/Pasta", "Pasta Sauce"),
    ],
)
def test_a_known_complement_is_told_with_its_counts(page: Page, antecedent: str, consequent: str) -> None:
    tables = [*TOGETHER, "Categories bought in one basket", "Categories whose ties make most baskets"]
    rows = [row for title in tables for row in page.table(title) if {row[0], row[1]} == {antecedent, consequent}]
    assert rows
    for row in rows:
        assert row[2].endswith("×") and float(row[2].split()[0]) > 1.1
        assert int(row[3].replace(",", "")) >= 100


def test_a_pair_is_told_once_a_table(page: Page) -> None:
    for title in TOGETHER:
        pairs = [frozenset(row[:2]) for row in page.table(title)]
        assert len(pairs) == len(set(pairs))


def test_sizes_of_eggs_are_told_as_substitutes(page: Page) -> None:
    rows = page.table("Subcategories bought instead of each other")
    assert any(row[0].startswith("Eggs") and row[1].startswith("Eggs") for row in rows)


def test_easter_leads_to_the_garden_and_not_the_garden_to_easter(page: Page) -> None:
    rows = page.table("Categories of which one leads to the other, within 30 days")
    assert ["Easter", "Garden Center", "24"] in [row[:3] for row in rows]
    assert ["Garden Center", "Easter"] not in [row[:2] for row in rows]


def test_the_counts_of_pairs_agree_between_card_and_map(demo_refresh: Path, whole: Page) -> None:
    """The scorecard's share of pairs, the sentence of the card, the signs of the map."""
    with duckdb.connect(str(demo_refresh / "published" / "segments.duckdb"), read_only=True) as con:
        cards = con.execute(
            "select scheme, delivered_distinct, well_powered_pairs from scheme_scorecard where well_powered_pairs > 0"
        ).fetchall()
    assert cards
    for scheme, share, pairs in cards:
        part = whole.part(f"scheme-{scheme.replace('_', '-')}")
        cells = [cell for row in part.table("How far what segments were sent differs") for cell in row[1:]]
        differ, alike = (sum(cell.endswith(sign) for cell in cells) for sign in "≠=")
        assert (differ, differ + alike) == (round(share * pairs), pairs)
        assert f"{words.many('{n} pair', '{n} pairs', pairs)} of segments that can be judged, {differ} " in part.text
