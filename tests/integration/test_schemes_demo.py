"""Schemes and the occasion matrix on the demo, against pandas, fractions and scipy on the package's own files."""

from __future__ import annotations

import functools
from fractions import Fraction
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.support import project, retailer
from tests.support.project import Build

pytestmark = pytest.mark.demo

MEANINGS = ("job_to_be_done", "purchase_motive", "lifestyle")
OCCASIONS = ("breakfast", "dinner", "late_evening", "lunch", "stock_up")


def _segments(build: Build, scheme: str) -> dict[str, str]:
    return build.mapping(f"select member_id, segment from customer_segments where scheme = '{scheme}'")


def _everyone(build: Build) -> list[str]:
    return [member for (member,) in build.rows("select customer_id from customer_profiles order by 1")]


# ---- spend_structure -------------------------------------------------------------------------------------------------


def test_spend_structure_of_every_household(demo_build: Build) -> None:
    lines = retailer.window_lines()
    totals = lines.groupby("customer_id")["amount"].sum()
    spends = lines.groupby(["customer_id", "department"])["amount"].sum().reset_index()
    spends = spends.sort_values(["customer_id", "amount", "department"], ascending=[True, False, True])
    top = spends.drop_duplicates("customer_id").set_index("customer_id")
    expected = dict.fromkeys(_everyone(demo_build), "unknown")
    for member, row in top.iterrows():
        total = int(totals[member])
        if total > 0:
            name = "".join(c if c.isalnum() else " " for c in row["department"].lower())
            dominates = 10 * int(row["amount"]) >= 4 * total
            expected[str(member)] = "_".join(name.split()) if dominates else "mixed"
    assert _segments(demo_build, "spend_structure") == expected


# ---- occasion --------------------------------------------------------------------------------------------------------


def _occasion(lines: int, hour: int) -> str:
    """The seed's rules in the order of its words."""
    if lines >= 20:
        return "stock_up"
    if 5 <= hour < 11:
        return "breakfast"
    if 11 <= hour < 15:
        return "lunch"
    return "dinner" if 15 <= hour < 21 else "late_evening"


@functools.cache
def _baskets() -> pd.DataFrame:
    """Members x occasions: baskets in the RFM window."""
    positive = retailer.lines()[retailer.lines()["is_positive"]]
    baskets = positive.groupby(["order_id", "customer_id"], as_index=False).agg(
        at=("ordered_at", "min"), on=("ordered_on", "min"), lines=("product_id", "size")
    )
    baskets = baskets[baskets["on"] >= retailer.WINDOW_START]
    names = [_occasion(n, at.hour) for n, at in zip(baskets["lines"], baskets["at"], strict=True)]
    return pd.crosstab(baskets["customer_id"], np.array(names))[list(OCCASIONS)]


def test_occasion_of_every_household(demo_build: Build) -> None:
    expected = dict.fromkeys(_everyone(demo_build), "unknown")
    for member, row in _baskets().iterrows():
        total, most = int(row.sum()), int(row.max())
        if total >= 3:
            # Columns are in alphabetical order, and the first of equal ones wins.
            expected[str(member)] = str(row.idxmax()) if 2 * most >= total else "mixed"
    assert _segments(demo_build, "occasion") == expected


@pytest.fixture(scope="module")
def matrix(demo_refresh: Path) -> pd.DataFrame:
    """The published occasion matrix."""
    with duckdb.connect(str(demo_refresh / "published" / "segments.duckdb"), read_only=True) as con:
        return con.sql("select * from occasion_matrix").df()


@pytest.mark.parametrize("scheme", ["life_stage", "rfm", "spend_structure"])
def test_occasion_matrix_equals_scipys_kruskal_over_the_members(
    demo_build: Build, matrix: pd.DataFrame, scheme: str
) -> None:
    baskets = _baskets()
    shares = baskets.div(baskets.sum(axis=1), axis=0)
    segment = pd.Series(_segments(demo_build, scheme)).reindex(baskets.index)
    rows = matrix[matrix["scheme"] == scheme].set_index(["segment", "occasion"])
    for (name, occasion), row in rows.iterrows():
        inside = segment == name
        counts = baskets.loc[inside, occasion]
        assert (row["baskets"], row["customers"]) == (counts.sum(), (counts > 0).sum())
        if not inside.any():
            assert pd.isna(row["index"]) and pd.isna(row["p_value"])
            continue
        everyone = baskets[occasion].sum() / baskets.to_numpy().sum()
        assert row["index"] == pytest.approx(counts.sum() / baskets[inside].to_numpy().sum() / everyone, rel=1e-12)
        expected = stats.kruskal(shares.loc[inside, occasion], shares.loc[~inside, occasion]).pvalue
        assert row["p_value"] == pytest.approx(expected, rel=1e-7, abs=1e-14)


def test_occasion_matrix_is_complete_and_its_gaps_follow_the_contract(demo_build: Build, matrix: pd.DataFrame) -> None:
    segments = {(s, t) for s, t in demo_build.rows("select scheme, segment from segments")}
    assert {(r.scheme, r.segment, r.occasion) for r in matrix.itertuples()} == {
        (scheme, segment, occasion) for scheme, segment in segments for occasion in OCCASIONS
    }
    tested = matrix.dropna(subset="p_value")
    assert tested["q_value"].to_numpy() == pytest.approx(stats.false_discovery_control(tested["p_value"]))
    assert (matrix["is_gap"] == ((matrix["index"] < 1) & (matrix["q_value"] < 0.05))).all()
    assert 0 < matrix["is_gap"].mean() < 0.2


# ---- what products mean ----------------------------------------------------------------------------------------------


@functools.cache
def _meant(scheme: str) -> pd.DataFrame:
    """Members x meanings: spend in the RFM window in units; the column `` is what means nothing."""
    meaning = {row["category"].lower(): row[scheme] for row in project.seed_rows("category_meanings")}
    lines = retailer.window_lines()
    names = lines["category"].str.lower().map(meaning).fillna("")
    return lines.groupby(["customer_id", names])["amount"].sum().unstack(fill_value=0)


@pytest.mark.parametrize("scheme", MEANINGS)
def test_category_meanings_cover_95_percent_of_the_demos_spend(scheme: str) -> None:
    spends = _meant(scheme).sum()
    assert 1 - spends[""] / spends.sum() >= 0.95


@pytest.mark.parametrize("scheme", MEANINGS)
def test_meaning_of_every_household(demo_build: Build, scheme: str) -> None:
    table = _meant(scheme).drop(columns="")
    everyone = {name: Fraction(int(table[name].sum()), int(table.to_numpy().sum())) for name in table.columns}
    frequency = retailer.rfm()["frequency"]
    expected = dict.fromkeys(_everyone(demo_build), "unknown")
    for member, row in table.iterrows():
        total = int(row.sum())
        if total <= 0 or frequency[member] < 5:
            continue
        found = []
        for name, p in everyone.items():
            share = Fraction(int(row[name]), total)
            if share * (1 - p) >= Fraction(5, 4) * p * (1 - share):
                found.append((-round(float(share - p) / float(p * (1 - p)) ** 0.5, 9), name))
        if found:
            expected[str(member)] = min(found)[1]
    assert _segments(demo_build, scheme) == expected


# ---- nothing known ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["gender", "location"])
def test_a_scheme_about_which_nothing_is_known_is_unproven_and_harms_nothing(
    demo_refresh: Path, demo_build: Build, scheme: str
) -> None:
    assert set(_segments(demo_build, scheme).values()) == {"unknown"}
    with duckdb.connect(str(demo_refresh / "published" / "segments.duckdb"), read_only=True) as con:
        (verdict,) = con.sql(f"select verdict from scheme_scorecard where scheme = '{scheme}'").fetchall()
        (gaps,) = con.sql(f"select count(*) from occasion_matrix where scheme = '{scheme}' and is_gap").fetchall()
    assert (verdict, gaps) == (("unproven",), (0,))
