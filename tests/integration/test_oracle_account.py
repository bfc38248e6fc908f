"""Behaviour and delivery on the demo, against pandas and scipy on the package's own files.

Memberships are taken from the build (test_oracle_rfm and test_oracle_segments check them); everything after them is
worked out again.
"""

from __future__ import annotations

import functools
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from orchestration.accountability.behaviour import segment_behaviour
from orchestration.accountability.delivery import treatment_delivery
from orchestration.accountability.inputs import read_settings
from tests.support import retailer
from tests.support.project import Build

pytestmark = pytest.mark.demo

OUTCOME_START = retailer.AS_OF - pd.Timedelta(days=90)
SCHEMES = ["category_interest", "life_stage", "money_effort", "rfm"]
# The distribution of a permutation by scipy: slow, so only a few pairs are compared.
PERMUTED_PAIRS = 25


@pytest.fixture(scope="module")
def account(demo_build: Build) -> dict[str, pd.DataFrame]:
    """segment_behaviour and treatment_delivery as the project makes them from the build."""
    as_of: date = retailer.AS_OF.date()
    with duckdb.connect(str(demo_build.file), read_only=True) as con:
        settings = read_settings(con, as_of)
        return {
            "behaviour": segment_behaviour(con, settings).to_pandas(),
            "delivery": treatment_delivery(con, settings).to_pandas(),
        }


@pytest.fixture(scope="module")
def segments(demo_build: Build) -> dict[str, pd.Series]:
    """Scheme -> segment by household, on the day the outcomes begin, without the unknown."""
    rows = demo_build.frame(
        f"""select scheme, member_id, segment from int_memberships
        where as_of = date '{OUTCOME_START.date()}' and segment <> 'unknown'"""
    )
    return {scheme: group.set_index("member_id")["segment"] for scheme, group in rows.groupby("scheme")}


@functools.cache
def touches() -> pd.DataFrame:
    """Campaigns that reached a household in the period, each on the day it starts: customer_id, campaign type."""
    campaigns = pd.read_parquet(retailer.data_dir() / "campaigns.parquet")
    types = pd.read_parquet(retailer.data_dir() / "campaign_descriptions.parquet")
    table = campaigns.merge(types, on="campaign_id")
    starts = pd.to_datetime(table["start_date"])
    table = table[(starts >= OUTCOME_START) & (starts < retailer.AS_OF)]
    return pd.DataFrame({"customer_id": table["household_id"].astype(str), "type": table["campaign_type"]})


@functools.cache
def redeemers() -> set[str]:
    table = pd.read_parquet(retailer.data_dir() / "coupon_redemptions.parquet")
    on = pd.to_datetime(table["redemption_date"])
    return set(table.loc[(on >= OUTCOME_START) & (on < retailer.AS_OF), "household_id"].astype(str))


def outcome(name: str, members: pd.Index) -> pd.Series:
    """The outcome of every member by the contract's words; NaN is left out of the test."""
    lines = retailer.lines()
    groups = lines[lines["ordered_on"] >= OUTCOME_START].groupby("customer_id")
    spend = groups["amount"].sum()
    if name == "spend":
        return spend.reindex(members).fillna(0)
    if name == "orders":
        baskets = retailer.baskets()
        return baskets[baskets["basket_on"] >= OUTCOME_START].groupby("customer_id").size().reindex(members).fillna(0)
    if name == "discount_share":
        paid_before_discounts = spend + groups["discount"].sum()
        given = groups["discount"].sum() + groups["coupon"].sum()
        return (given / paid_before_discounts).where(paid_before_discounts > 0).clip(upper=1).reindex(members)
    if name == "private_label_share":
        private = groups[["amount", "tier"]].apply(lambda g: g.loc[g["tier"] == "private", "amount"].sum())
        return (private / spend).where(spend > 0).reindex(members)
    touched = members.isin(touches()["customer_id"])
    return pd.Series(np.where(touched, members.isin(redeemers()).astype(float), np.nan), members)


def category_table(segment: pd.Series) -> pd.DataFrame:
    """Segments x sets of campaign types: members."""
    sets = touches().groupby("customer_id")["type"].agg(lambda types: " + ".join(sorted(set(types))))
    sent = sets.reindex(segment.index).fillna("nothing")
    kept = sorted(sent.value_counts().items(), key=lambda item: (-item[1], item[0]))[:11]
    return pd.crosstab(segment, sent.where(sent.isin([name for name, _ in kept]), "other"))


def table_of_pair(table: pd.DataFrame, row: Any) -> np.ndarray:
    both = table.loc[[row.segment_a, row.segment_b]].to_numpy()
    return both[:, both.sum(axis=0) > 0]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["discount_share", "orders", "private_label_share", "responded", "spend"])
def test_behaviour_equals_scipys_kruskal(
    account: dict[str, pd.DataFrame], segments: dict[str, pd.Series], scheme: str, name: str
) -> None:
    segment = segments[scheme]
    values = outcome(name, segment.index).dropna()
    groups = [group.to_numpy() for _, group in values.groupby(segment.reindex(values.index))]
    expected = stats.kruskal(*groups)
    n, k = len(values), len(groups)
    row = account["behaviour"].set_index(["scheme", "outcome"]).loc[(scheme, name)]
    assert (row["n"], row["k"]) == (n, k)
    assert row["h_statistic"] == pytest.approx(expected.statistic, rel=1e-9)
    assert row["p_value"] == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    assert row["effect"] == pytest.approx(max(0.0, (expected.statistic - k + 1) / (n - k)), abs=1e-9)


def test_behaviour_q_values_equal_scipys_over_all_schemes_and_outcomes(account: dict[str, pd.DataFrame]) -> None:
    # Schemes nobody of whose members is known are not tested.
    behaviour = account["behaviour"].dropna(subset=["p_value"])
    assert len(behaviour) >= 50
    assert behaviour["q_value"].to_numpy() == pytest.approx(stats.false_discovery_control(behaviour["p_value"]))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_delivery_has_every_pair_with_scipys_divergence_and_chi_squared(
    account: dict[str, pd.DataFrame], segments: dict[str, pd.Series], scheme: str
) -> None:
    table = category_table(segments[scheme])
    rows = account["delivery"][account["delivery"]["scheme"] == scheme]
    names = sorted(table.index)
    assert list(zip(rows["segment_a"], rows["segment_b"], strict=True)) == [
        (a, b) for i, a in enumerate(names) for b in names[i + 1 :]
    ]
    for row in rows.head(2_000).itertuples():
        pair = table_of_pair(table, row)
        assert (row.n_a, row.n_b) == tuple(pair.sum(axis=1))
        # Near 0 the square root turns a rounding error of 1e-17 into 3e-9.
        assert row.divergence**2 == pytest.approx(np.nan_to_num(jensenshannon(*pair, 2)) ** 2, abs=1e-12)
        # Of equal segments of so many members a difference of w = 0.3 is as plain as of these two.
        degrees = max(1, pair.shape[1] - 1)
        members = 4 * row.n_a * row.n_b / (row.n_a + row.n_b)
        power = stats.ncx2.sf(stats.chi2.ppf(0.95, degrees), degrees, members * 0.3**2)
        assert row.power == pytest.approx(power, rel=1e-9)
        enough = power >= 0.8 and min(row.n_a, row.n_b) >= 30
        alike = "treated alike" if enough else "unproven"
        assert row.verdict == ("treated differently" if row.q_value < 0.05 else alike)
        # Few pairs of the demo are this large; tests/unit/accountability has many.
        if pair.shape[1] > 1 and stats.contingency.expected_freq(pair).min() >= 5:
            p_value = stats.chi2_contingency(pair, correction=False).pvalue
            assert row.p_value == pytest.approx(p_value, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_delivery_of_small_pairs_equals_scipys_permutation(
    account: dict[str, pd.DataFrame], segments: dict[str, pd.Series], scheme: str
) -> None:
    table = category_table(segments[scheme])
    rows = account["delivery"][(account["delivery"]["scheme"] == scheme)]
    draws, compared = 999, 0
    for row in rows.itertuples():
        pair = table_of_pair(table, row)
        if pair.shape[1] < 2 or stats.contingency.expected_freq(pair).min() >= 5:
            continue
        method = stats.PermutationMethod(n_resamples=draws, rng=np.random.default_rng(compared))
        p_value = stats.chi2_contingency(pair, correction=False, method=method).pvalue
        # Both may be drawn; 5 standard errors, so that 100 pairs seldom raise a false alarm.
        error = np.sqrt(2 * max(p_value * (1 - p_value), 1 / draws) / draws)
        assert row.p_value == pytest.approx(p_value, abs=5 * error)
        compared += 1
        if compared == PERMUTED_PAIRS:
            break
    assert compared > 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_delivery_q_values_equal_scipys_over_the_schemes_pairs(account: dict[str, pd.DataFrame], scheme: str) -> None:
    rows = account["delivery"][account["delivery"]["scheme"] == scheme]
    assert rows["q_value"].to_numpy() == pytest.approx(stats.false_discovery_control(rows["p_value"]))
