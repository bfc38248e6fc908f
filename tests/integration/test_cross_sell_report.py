"""What the demo's report says about selling: pairs that anyone in the trade would look for, in readable sentences."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.demo


@pytest.fixture(scope="module")
def text(demo_refresh: Path) -> str:
    """The report's section on affinities as plain text."""
    page = (demo_refresh / "published" / "report.html").read_text(encoding="utf-8")
    section = re.search(r'<section id="affinities">(.*?)</section>', page, re.DOTALL)
    assert section
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", "", section.group(1))))


@pytest.mark.parametrize(
    ("antecedent", "consequent"),
    [
        ("FROSTING", "LAYER CAKE MIX"),
        ("BABY DIAPERS", "BABY WIPES"),
        ("MEXICAN TACO TOSTADO SHELLS", "MEXICAN SEASONING MIXES"),
        ("DRY NOODLES/PASTA", "PASTA SAUCE"),
    ],
)
def test_a_known_complement_is_told_in_its_direction_with_its_counts(
    text: str, antecedent: str, consequent: str
) -> None:
    a, b = re.escape(antecedent), re.escape(consequent)
    count, share = r"[0-9,]+ baskets", r"[0-9.]+ %"
    forward = rf"Who buys {a} buys {b} [0-9.]+ times as often [^;]*, in {count} \({share} of the {count} with {a}\)"
    back = (
        rf"Who buys {b} buys {a} [0-9.]+ times as often [^;]*; "
        rf"the other way round, who buys {a} buys {b} in {share} of the {count} with it"
    )
    assert re.search(f"{forward}|{back}", text)


def test_a_pair_is_told_once_a_list(text: str) -> None:
    lists = re.split(r"bought in one basket|whose ties make most baskets|instead of each other", text)
    assert sum("FROSTING buys LAYER CAKE MIX" in part for part in lists) >= 1
    for part in lists:
        assert part.count("FROSTING buys LAYER CAKE MIX") <= 1


def test_sizes_of_eggs_are_told_as_substitutes(text: str) -> None:
    assert re.search(r"Who buys EGGS - [X-]*LARGE seldom buys EGGS - [X-]*LARGE too: [0-9,]+ baskets hold both", text)


def test_easter_leads_to_the_garden_and_not_the_garden_to_easter(text: str) -> None:
    assert "First EASTER, then GARDEN CENTER on a later day within 30 days: 24 customers" in text
    assert "First GARDEN CENTER, then EASTER" not in text


def test_no_product_number_is_told(text: str) -> None:
    assert not re.search(r"buys [0-9]{5,}", text)
