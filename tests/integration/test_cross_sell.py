"""Cross-sell on the demo beyond category baskets: other levels, sequences, segments, gaps; against pandas and scipy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from tests.support import retailer
from tests.support.project import Build

pytestmark = pytest.mark.demo

MIN_PAIR_COUNT = 5
REACH = pd.Timedelta(days=30)
PRIOR = 20
GAP_BASKETS, GAP_LIFT, GAP_PEERS = 3, 1.5, 0.3


def _items(level: str) -> pd.DataFrame:
    """Distinct (order_id, customer_id, item, bought_on) of positive lines at a level."""
    lines = retailer.lines()
    lines = lines[lines["is_positive"] & lines[level].notna()]
    return lines.groupby(["order_id", "customer_id", level], as_index=False).agg(bought_on=("ordered_on", "min"))


def _presence(units: pd.Series, items: pd.Series) -> tuple[sparse.csr_matrix, list[str]]:
    """Units x items, 0 or 1, with the names of the columns in alphabetical order."""
    unit, _ = pd.factorize(units)
    categories = pd.Categorical(items, categories=sorted(items.unique()))
    shape = (unit.max() + 1, len(categories.categories))
    presence = sparse.csr_matrix((np.ones(len(items), dtype=np.int64), (unit, categories.codes)), shape=shape)
    presence.data[:] = 1
    return presence, list(categories.categories)


def _expected_by_size(presence: sparse.csr_matrix) -> np.ndarray:
    """Joint counts (items x items) that deciles of the units' sizes lead to expect."""
    sizes = np.asarray(presence.sum(axis=1)).ravel()
    deciles = (10 * np.searchsorted(np.sort(sizes), sizes, side="left")) // len(sizes)
    expected = np.zeros((presence.shape[1], presence.shape[1]))
    for decile in np.unique(deciles):
        members = np.flatnonzero(deciles == decile)
        counts = np.asarray(presence[members].sum(axis=0)).ravel().astype(float)
        expected += np.outer(counts, counts) / len(members)
    return expected


def _codes(rules: pd.DataFrame, items: list[str]) -> tuple[np.ndarray, np.ndarray]:
    index = {item: code for code, item in enumerate(items)}
    return rules["antecedent"].map(index).to_numpy(), rules["consequent"].map(index).to_numpy()


# ---- levels ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["department", "subcategory", "product"])
def test_rules_of_a_level_are_its_pairs_from_the_minimum_on(demo_build: Build, level: str) -> None:
    column = "product_id" if level == "product" else level
    table = _items(column)
    # A pair is in no more baskets than either of its items.
    table = table[table.groupby(column)[column].transform("size") >= MIN_PAIR_COUNT]
    presence, items = _presence(table["order_id"] + " " + table["customer_id"], table[column])
    both = (presence.T @ presence).tocoo()
    kept = (both.data >= MIN_PAIR_COUNT) & (both.row != both.col)
    rules = demo_build.frame(
        f"""select antecedent, consequent, n_antecedent, n_consequent, n_both, p_value from product_affinities
        where item_level = '{level}' and "window" = 'basket'"""
    )
    assert len(rules) == kept.sum() > 300
    # The demo's as-of date is a Monday: the grid's day is the same.
    assert demo_build.rows(f"select distinct as_of from product_affinities where item_level = '{level}'") == [
        (retailer.AS_OF.date(),)
    ]
    a, b = _codes(rules, items)
    counts = sparse.csr_matrix(both)
    np.testing.assert_array_equal(rules["n_both"], np.asarray(counts[a, b]).ravel())
    np.testing.assert_array_equal(rules["n_antecedent"], counts.diagonal()[a])
    expected = stats.hypergeom.sf(
        rules["n_both"] - 1, len(retailer.baskets()), rules["n_antecedent"], rules["n_consequent"]
    )
    np.testing.assert_allclose(rules["p_value"], expected, rtol=1e-6, atol=1e-12)


# ---- what follows what ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sequences(demo_build: Build) -> pd.DataFrame:
    return demo_build.frame(
        """select * from product_affinities where item_level = 'category' and "window" = '30_days'
        order by antecedent, consequent"""
    )


@pytest.fixture(scope="module")
def followers() -> tuple[np.ndarray, sparse.csr_matrix, list[str]]:
    """Customers with a then b within 30 days (items x items), by walking through each customer's days."""
    days = retailer.basket_items()[["customer_id", "category", "bought_on"]].drop_duplicates()
    presence, items = _presence(days["customer_id"], days["category"])
    index = {item: code for code, item in enumerate(items)}
    counts = np.zeros((len(items), len(items)), dtype=int)
    for _, rows in days.groupby("customer_id"):
        by_day = {day: np.unique(group["category"].map(index)) for day, group in rows.groupby("bought_on")}
        dates = sorted(by_day)
        found = np.zeros_like(counts, dtype=bool)
        for position, first in enumerate(dates):
            later: set[int] = set()
            for second in dates[position + 1 :]:
                if second - first > REACH:
                    break
                later.update(by_day[second])
            if later:
                found[np.ix_(by_day[first], sorted(later))] = True
        counts += found
    np.fill_diagonal(counts, 0)
    return counts, presence, items


def test_sequences_are_customers_who_bought_the_second_item_within_thirty_days(
    sequences: pd.DataFrame, followers: tuple[np.ndarray, sparse.csr_matrix, list[str]]
) -> None:
    counts, presence, items = followers
    a, b = _codes(sequences, items)
    assert len(sequences) == (counts >= MIN_PAIR_COUNT).sum() > 50_000
    np.testing.assert_array_equal(sequences["n_both"], counts[a, b])
    np.testing.assert_array_equal(sequences["n_reverse"], counts[b, a])
    owners = np.asarray(presence.sum(axis=0)).ravel()
    np.testing.assert_array_equal(sequences["n_antecedent"], owners[a])
    np.testing.assert_array_equal(sequences["n_consequent"], owners[b])
    assert (sequences["n_baskets"] == retailer.baskets()["customer_id"].nunique()).all()


def test_sequences_are_tested_and_size_adjusted_by_customers(
    sequences: pd.DataFrame, followers: tuple[np.ndarray, sparse.csr_matrix, list[str]]
) -> None:
    _, presence, items = followers
    a, b = _codes(sequences, items)
    tail = stats.hypergeom.sf(
        sequences["n_both"] - 1, sequences["n_baskets"], sequences["n_antecedent"], sequences["n_consequent"]
    )
    np.testing.assert_allclose(sequences["p_value"], tail, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(
        sequences["q_value"], stats.false_discovery_control(sequences["p_value"]), rtol=1e-9, atol=1e-15
    )
    expected = _expected_by_size(presence)[a, b]
    np.testing.assert_allclose(sequences["size_adjusted_lift"], sequences["n_both"] / expected, rtol=1e-9)


# ---- segments -------------------------------------------------------------------------------------------------------


def test_segment_rules_are_those_of_its_own_baskets(demo_build: Build) -> None:
    scheme, segment = demo_build.rows(
        "select scheme, segment from segment_affinities group by all order by count(*) desc, scheme, segment"
    )[0]
    members = demo_build.frame(
        f"select member_id from customer_segments where scheme = '{scheme}' and segment = '{segment}'"
    )["member_id"]
    rules = demo_build.frame(
        f"""select * from segment_affinities where scheme = '{scheme}' and segment = '{segment}'
        order by antecedent, consequent"""
    )
    table = retailer.basket_items()
    table = table[table["customer_id"].isin(members)]
    presence, items = _presence(table["order_id"] + " " + table["customer_id"], table["category"])
    both = (presence.T @ presence).toarray()
    a, b = _codes(rules, items)
    baskets = retailer.baskets()["customer_id"].isin(members).sum()
    assert (rules["n_baskets"] == baskets).all()
    np.testing.assert_array_equal(rules["n_both"], both[a, b])
    np.testing.assert_array_equal(rules["n_antecedent"], both.diagonal()[a])
    expected = _expected_by_size(presence)[a, b]
    np.testing.assert_allclose(rules["size_adjusted_lift"], rules["n_both"] / expected, rtol=1e-9)
    tail = stats.hypergeom.sf(rules["n_both"] - 1, baskets, rules["n_antecedent"], rules["n_consequent"])
    np.testing.assert_allclose(rules["p_value"], tail, rtol=1e-6, atol=1e-12)
    shrunk = (rules["n_both"] + PRIOR) / (expected + PRIOR / rules["global_lift"])
    np.testing.assert_allclose(rules["shrunk_lift"], shrunk, rtol=1e-9)


def test_shrunk_lift_lies_between_the_segments_own_and_everyones(demo_build: Build) -> None:
    rules = demo_build.frame("select size_adjusted_lift, global_lift, shrunk_lift, n_both from segment_affinities")
    ends = rules[["size_adjusted_lift", "global_lift"]]
    assert (rules["shrunk_lift"] >= ends.min(axis=1) * (1 - 1e-12)).all()
    assert (rules["shrunk_lift"] <= ends.max(axis=1) * (1 + 1e-12)).all()


def test_global_lift_of_segment_rules_is_that_of_product_affinities(demo_build: Build) -> None:
    assert (
        demo_build.value(
            """select count(*) from segment_affinities as own
            left join product_affinities as everyone using (item_level, "window", antecedent, consequent)
            where everyone.size_adjusted_lift is distinct from own.global_lift"""
        )
        == 0
    )
    assert demo_build.value("select count(distinct scheme) from segment_affinities") >= 3


# ---- gaps -----------------------------------------------------------------------------------------------------------


def test_gaps_are_never_bought_complements_of_habits(demo_build: Build) -> None:
    gaps = demo_build.frame("select * from cross_sell_gaps")
    assert len(gaps) > 1000
    table = retailer.basket_items()
    assert not set(zip(gaps["customer_id"], gaps["gap_item"], strict=True)) & set(
        zip(table["customer_id"], table["category"], strict=True)
    )
    recent = table[table["bought_on"] >= retailer.WINDOW_START]
    times = recent.groupby(["customer_id", "category"]).size()
    found = times.reindex(pd.MultiIndex.from_frame(gaps[["customer_id", "because_item"]])).to_numpy()
    np.testing.assert_array_equal(gaps["because_times_bought"], found)
    assert found.min() >= GAP_BASKETS
    assert gaps["size_adjusted_lift"].min() >= GAP_LIFT
    assert (gaps["peers_with_gap_item"] >= GAP_PEERS * gaps["peers"]).all()


def test_gap_is_worth_the_wallet_share_of_its_peers(demo_build: Build) -> None:
    gaps = demo_build.frame("select * from cross_sell_gaps order by customer_id, gap_rank").sample(200, random_state=3)
    lines = retailer.window_lines().dropna(subset=["category"])
    spend = lines.groupby(["customer_id", "category"])["amount"].sum().unstack(fill_value=0) / retailer.UNIT
    table = retailer.basket_items()
    recent = table[table["bought_on"] >= retailer.WINDOW_START]
    times = recent.groupby(["customer_id", "category"]).size().unstack(fill_value=0)
    times = times.reindex(index=spend.index, columns=spend.columns, fill_value=0)
    for row in gaps.itertuples():
        peers = times.index[times[row.because_item] >= GAP_BASKETS]
        with_item = peers[times.loc[peers, row.gap_item] > 0]
        assert (row.peers, row.peers_with_gap_item) == (len(peers), len(with_item))
        share = spend.loc[with_item, row.gap_item].sum() / spend.loc[peers].sum().sum()
        assert float(row.expected_value) == pytest.approx(share * spend.loc[row.customer_id].sum(), abs=0.011)
