"""Affinities on the demo, against scipy.sparse, mlxtend and scipy.stats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from mlxtend.frequent_patterns import association_rules
from scipy import sparse, stats

from tests.support import retailer
from tests.support.project import Build

pytestmark = pytest.mark.demo

MIN_PAIR_COUNT = 5
MEASURES = {  # ours: mlxtend's
    "antecedent_support": "antecedent support",
    "consequent_support": "consequent support",
    "support": "support",
    "confidence": "confidence",
    "lift": "lift",
    "representativity": "representativity",
    "leverage": "leverage",
    "zhangs_metric": "zhangs_metric",
    "jaccard": "jaccard",
    "certainty": "certainty",
    "kulczynski": "kulczynski",
}


@dataclass(frozen=True)
class Counts:
    """Baskets (all, even without a category), items by the alphabet, presence (baskets x items), joint counts."""

    n: int
    items: list[str]
    presence: sparse.csr_matrix
    both: np.ndarray


@pytest.fixture(scope="module")
def counts() -> Counts:
    table = retailer.basket_items()
    basket, _ = pd.factorize(table["order_id"] + " " + table["customer_id"])
    categories = pd.Categorical(table["category"], categories=sorted(table["category"].unique()))
    shape = (basket.max() + 1, len(categories.categories))
    presence = sparse.csr_matrix((np.ones(len(table), dtype=np.int64), (basket, categories.codes)), shape=shape)
    assert presence.max() == 1
    both = (presence.T @ presence).toarray()
    return Counts(len(retailer.baskets()), list(categories.categories), presence, both)


@pytest.fixture(scope="module")
def rules(demo_build: Build) -> pd.DataFrame:
    return demo_build.frame(
        """select * from product_affinities where item_level = 'category' and "window" = 'basket'
        order by antecedent, consequent"""
    )


def _codes(rules: pd.DataFrame, counts: Counts) -> tuple[np.ndarray, np.ndarray]:
    index = {item: code for code, item in enumerate(counts.items)}
    return rules["antecedent"].map(index).to_numpy(), rules["consequent"].map(index).to_numpy()


def test_rules_are_both_directions_of_every_pair_from_the_minimum_on(rules: pd.DataFrame, counts: Counts) -> None:
    kept = np.argwhere((counts.both >= MIN_PAIR_COUNT) & ~np.eye(len(counts.items), dtype=bool))
    expected = {(counts.items[a], counts.items[b]) for a, b in kept}
    assert len(rules) == len(expected) > 50_000
    assert set(zip(rules["antecedent"], rules["consequent"], strict=True)) == expected


def test_counts_of_every_rule(rules: pd.DataFrame, counts: Counts) -> None:
    a, b = _codes(rules, counts)
    single = counts.both.diagonal()
    assert (rules["n_baskets"] == counts.n).all()
    np.testing.assert_array_equal(rules["n_antecedent"], single[a])
    np.testing.assert_array_equal(rules["n_consequent"], single[b])
    np.testing.assert_array_equal(rules["n_both"], counts.both[a, b])


@pytest.fixture(scope="module")
def mlxtend_rules(rules: pd.DataFrame, counts: Counts) -> pd.DataFrame:
    """mlxtend's rules from the frequent singles and pairs, in the order of `rules`."""
    single = counts.both.diagonal()
    pairs = np.argwhere(np.triu(counts.both, 1) >= MIN_PAIR_COUNT)
    frequent = pd.DataFrame(
        {
            "support": np.concatenate([single, counts.both[pairs[:, 0], pairs[:, 1]]]) / counts.n,
            "itemsets": [frozenset([a]) for a in range(len(single))] + [frozenset(pair) for pair in pairs.tolist()],
        }
    )
    found = association_rules(frequent, num_itemsets=counts.n, metric="support", min_threshold=0.0)
    key = found["antecedents"].map(min) * len(single) + found["consequents"].map(min)
    a, b = _codes(rules, counts)
    return found.set_axis(key, axis=0).reindex(a * len(single) + b)


@pytest.mark.parametrize("measure", MEASURES)
def test_measure_equals_mlxtend_on_every_rule(rules: pd.DataFrame, mlxtend_rules: pd.DataFrame, measure: str) -> None:
    expected = mlxtend_rules[MEASURES[measure]].to_numpy()
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(rules[measure].to_numpy(), expected, rtol=1e-9, atol=1e-9)


def test_conviction_equals_mlxtend_and_is_null_where_infinite(rules: pd.DataFrame, mlxtend_rules: pd.DataFrame) -> None:
    expected = mlxtend_rules["conviction"].to_numpy()
    np.testing.assert_allclose(
        rules["conviction"], np.where(np.isinf(expected), np.nan, expected), rtol=1e-9, atol=1e-9
    )


def test_p_value_equals_the_hypergeometric_upper_tail_on_every_pair(rules: pd.DataFrame, counts: Counts) -> None:
    expected = stats.hypergeom.sf(rules["n_both"] - 1, counts.n, rules["n_antecedent"], rules["n_consequent"])
    np.testing.assert_allclose(rules["p_value"], expected, rtol=1e-6, atol=1e-12)


def test_p_value_equals_fisher_exact_on_a_sample_of_pairs(rules: pd.DataFrame, counts: Counts) -> None:
    for row in rules.sample(60, random_state=1).itertuples():
        only_a, only_b = row.n_antecedent - row.n_both, row.n_consequent - row.n_both
        table = [[row.n_both, only_a], [only_b, counts.n - row.n_both - only_a - only_b]]
        odds, p_value = stats.fisher_exact(table, alternative="greater")
        assert row.p_value == pytest.approx(p_value, rel=1e-6, abs=1e-12)
        assert np.isinf(odds) if np.isnan(row.odds_ratio) else row.odds_ratio == pytest.approx(odds, rel=1e-9)


def test_q_value_is_benjamini_hochberg_over_unordered_pairs(rules: pd.DataFrame) -> None:
    pairs = rules[rules["antecedent"] < rules["consequent"]]
    expected = stats.false_discovery_control(pairs["p_value"], method="bh")
    np.testing.assert_allclose(pairs["q_value"], expected, rtol=1e-9)
    mirrored = rules[rules["antecedent"] > rules["consequent"]].sort_values(["consequent", "antecedent"])
    np.testing.assert_array_equal(mirrored["q_value"], pairs["q_value"])
    np.testing.assert_array_equal(mirrored["p_value"], pairs["p_value"])


def test_size_adjusted_lift_of_every_rule(rules: pd.DataFrame, counts: Counts) -> None:
    sizes = np.asarray(counts.presence.sum(axis=1)).ravel()
    smaller = np.searchsorted(np.sort(sizes), sizes, side="left")
    deciles = 1 + (10 * smaller) // len(sizes)
    expected = np.zeros_like(counts.both, dtype=float)
    for decile in np.unique(deciles):
        members = np.flatnonzero(deciles == decile)
        in_decile = np.asarray(counts.presence[members].sum(axis=0)).ravel().astype(float)
        expected += np.outer(in_decile, in_decile) / len(members)
    a, b = _codes(rules, counts)
    np.testing.assert_allclose(rules["size_adjusted_lift"], rules["n_both"] / expected[a, b], rtol=1e-9)


def test_season_adjusted_lift_of_every_rule(rules: pd.DataFrame, counts: Counts) -> None:
    table = retailer.basket_items()
    basket, _ = pd.factorize(table["order_id"] + " " + table["customer_id"])
    months = table.groupby(basket)["bought_on"].min().map(lambda day: day.month).to_numpy()
    sizes = np.asarray(counts.presence.sum(axis=1)).ravel()
    smaller = np.searchsorted(np.sort(sizes), sizes, side="left")
    cells = 100 * (1 + (10 * smaller) // len(sizes)) + months
    expected = np.zeros_like(counts.both, dtype=float)
    for cell in np.unique(cells):
        members = np.flatnonzero(cells == cell)
        in_cell = np.asarray(counts.presence[members].sum(axis=0)).ravel().astype(float)
        expected += np.outer(in_cell, in_cell) / len(members)
    a, b = _codes(rules, counts)
    np.testing.assert_allclose(rules["season_adjusted_lift"], rules["n_both"] / expected[a, b], rtol=1e-9)


def test_imbalance_ratio_of_every_rule(rules: pd.DataFrame) -> None:
    either = rules["n_antecedent"] + rules["n_consequent"] - rules["n_both"]
    expected = (rules["n_antecedent"] - rules["n_consequent"]).abs() / either
    np.testing.assert_allclose(rules["imbalance_ratio"], expected, rtol=1e-9, atol=1e-12)
