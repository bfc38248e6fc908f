"""Sizes, market positions, nearest mass segments and category interests on the demo, against pandas and numpy."""

from __future__ import annotations

import json
import re
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from tests.support import retailer
from tests.support.project import Build

pytestmark = pytest.mark.demo

SCHEMES = ["rfm", "life_stage", "money_effort", "category_interest"]


def _members(build: Build, scheme: str) -> pd.Series:
    return build.frame(
        f"select member_id, segment from customer_segments where scheme = '{scheme}' order by member_id"
    ).set_index("member_id")["segment"]


def _spends(build: Build, scheme: str) -> pd.Series:
    """Spend (units) of every segment of the scheme, those without members too."""
    members = _members(build, scheme)
    segments = [row[0] for row in build.rows(f"select segment from segments where scheme = '{scheme}'")]
    spends = retailer.rfm()["monetary"].reindex(members.index).fillna(0).astype("int64")
    return spends.groupby(members).sum().reindex(segments, fill_value=0)


def _positions(spends: pd.Series) -> dict[str, str]:
    """Exact, by adding segments one at a time until the shares are reached."""
    total = int(spends.sum())
    held, found = 0, {}
    for segment, spend in sorted(spends.items(), key=lambda item: (-item[1], item[0])):
        share = Fraction(held, total)
        found[segment] = "niche" if spend <= 0 else _position(share)
        held += int(spend)
    return found


def _position(share_before: Fraction) -> str:
    if share_before < Fraction(68, 100):
        return "mass"
    return "edge" if share_before < Fraction(95, 100) else "niche"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_members_and_spend_of_every_segment(demo_build: Build, scheme: str) -> None:
    found = demo_build.mapping(
        f"select segment, members, cast(spend * {retailer.UNIT} as bigint) from segments where scheme = '{scheme}'"
    )
    counts = _members(demo_build, scheme).value_counts()
    expected = {name: (int(counts.get(name, 0)), int(spend)) for name, spend in _spends(demo_build, scheme).items()}
    assert found == expected
    assert sum(spend for _, spend in found.values()) == int(retailer.window_lines()["amount"].sum())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_shares_of_a_scheme(demo_build: Build, scheme: str) -> None:
    found = demo_build.frame(f"select * from segments where scheme = '{scheme}' order by segment")
    spends = found["segment"].map(_spends(demo_build, scheme))
    np.testing.assert_allclose(found["spend_share"], spends / spends.sum(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found["member_share"], found["members"] / found["members"].sum(), rtol=1e-12)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_market_position_of_every_segment(demo_build: Build, scheme: str) -> None:
    found = demo_build.mapping(f"select segment, market_position from segments where scheme = '{scheme}'")
    assert found == _positions(_spends(demo_build, scheme))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nearest_mass_segment_has_the_highest_cosine_of_category_spend(demo_build: Build, scheme: str) -> None:
    found = demo_build.mapping(f"select segment, nearest_mass_segment from segments where scheme = '{scheme}'")
    positions = _positions(_spends(demo_build, scheme))
    lines = retailer.window_lines()
    lines = lines[lines["category"].notna()]
    segment = lines["customer_id"].map(_members(demo_build, scheme))
    vectors = (lines.groupby([segment, "category"])["amount"].sum() / retailer.UNIT).unstack(fill_value=0.0)
    vectors = vectors.div(np.sqrt((vectors**2).sum(axis=1)), axis=0)
    candidates = sorted(name for name, position in positions.items() if position == "mass" and name != "unknown")
    cosines = vectors @ vectors.reindex(candidates).T
    for name, nearest in found.items():
        if positions[name] == "mass" or name not in cosines.index or not candidates:
            assert nearest is None
        else:
            assert cosines.loc[name, nearest] == pytest.approx(cosines.loc[name].max(), rel=1e-9)


def _interests() -> pd.DataFrame:
    """One row a household: the category with the highest index (exact), then baskets, then name."""
    lines = retailer.window_lines()
    spends = lines.groupby(["customer_id", "category"])["amount"].sum()
    spends.name = "spend"
    items = retailer.basket_items()
    items = items[items["bought_on"] >= retailer.WINDOW_START]
    baskets = items.groupby(["customer_id", "category"]).size().rename("baskets")
    table = pd.concat([spends, baskets[baskets >= 3]], axis=1, join="inner").reset_index()
    table["own"] = table["customer_id"].map(lines.groupby("customer_id")["amount"].sum())
    table["everyone"] = table["category"].map(lines.groupby("category")["amount"].sum())
    table = table[(table["spend"] > 0) & (table["own"] > 0)]
    total = int(lines["amount"].sum())
    table["index"] = [
        Fraction(int(spend), int(own)) / Fraction(int(everyone), total)
        for spend, own, everyone in table[["spend", "own", "everyone"]].itertuples(index=False)
    ]
    table = table[table["index"] > 1]
    table = table.sort_values(["customer_id", "index", "baskets", "category"], ascending=[True, False, False, True])
    return table.drop_duplicates("customer_id").set_index("customer_id")


def test_category_interest_of_every_household(demo_build: Build) -> None:
    expected = _interests()
    found = demo_build.mapping(
        "select member_id, segment, reason from customer_segments where scheme = 'category_interest'"
    )
    assert set(expected.index) <= set(found)
    for household, (segment, reason) in found.items():
        why = json.loads(reason)
        if household not in expected.index:
            assert segment == "unknown"
            continue
        row = expected.loc[household]
        assert (why["category"], why["baskets"]) == (row["category"], row["baskets"]), household
        assert why["index"] == pytest.approx(float(row["index"]), abs=5.1e-5)
        assert segment == re.sub(r"[\W_]+", "_", row["category"].lower())


def test_category_interest_keeps_the_files_spelling_as_label(demo_build: Build) -> None:
    labels = demo_build.mapping(
        "select segment, label from segments where scheme = 'category_interest' and segment <> 'unknown'"
    )
    assert set(labels.values()) <= set(retailer.products()["category"].dropna())


@pytest.mark.parametrize("scheme", ["rfm", "life_stage", "money_effort"])
def test_closed_schemes_list_every_defined_segment_and_unknown(demo_build: Build, scheme: str) -> None:
    found = {row[0] for row in demo_build.rows(f"select segment from segments where scheme = '{scheme}'")}
    sizes = {"rfm": 11, "life_stage": 6, "money_effort": 4}
    assert "unknown" in found
    assert len(found) == sizes[scheme] + 1
