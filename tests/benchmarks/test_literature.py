"""The models that offers are tried beside are what their names say: else a tie with them says nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.benchmarks.literature import decayed_edlae, finer_edlae, tifu_knn
from tests.benchmarks.offers import Split, edlae

CUSTOMERS, ITEMS, PARTS = 40, 5, 8


@pytest.fixture(scope="module")
def data() -> Split:
    """Baskets at random, the last item not to be offered; part p is one of item p mod 4."""
    chance = np.random.default_rng(7)
    facts = pd.DataFrame(
        {"customer": c, "item": i, "basket": c * 10 + b, "age": 1 + 9 * b}
        for c in range(CUSTOMERS)
        for b in range(4)
        for i in np.flatnonzero(chance.random(ITEMS) < 0.4)
    )
    counts = np.zeros((CUSTOMERS, ITEMS))
    np.add.at(counts, (facts["customer"], facts["item"]), 1)
    finer = (chance.random((CUSTOMERS, PARTS)) < 0.5).astype(float)
    parts = [[ITEMS + p for p in range(PARTS) if p % 4 == item] for item in range(ITEMS)]
    allowed = np.array([True, True, True, True, False])
    first = np.zeros((CUSTOMERS, ITEMS), dtype=bool)
    names = [str(n) for n in range(CUSTOMERS)]
    return Split(names, [str(n) for n in range(ITEMS)], counts, first, allowed, np.arange(0), facts, finer, parts)


def test_without_finer_items_it_is_ours(data: Split) -> None:
    alone = Split(**{**vars(data), "finer": np.zeros((CUSTOMERS, 0)), "parts": [[] for _ in range(ITEMS)]})
    assert finer_edlae(alone, 0.2, 0.5, 0.8) == pytest.approx(edlae(alone, 0.2, 0.5))


def test_without_decay_it_is_ours(data: Split) -> None:
    assert decayed_edlae(data, 1e12, 0.2, 0.5) == pytest.approx(edlae(data, 0.2, 0.5))


def test_an_item_is_foretold_by_least_squares_on_all_but_its_own_parts(data: Split) -> None:
    """Item 1, by the normal equations of the inputs that may speak for it."""
    ridge, dropout, finer_ridge = 0.2, 0.5, 0.8
    inputs = np.hstack([((data.counts > 0) & data.allowed).astype(float), data.finer])
    active = inputs[:, :ITEMS].any(axis=1)
    penalty = np.repeat([ridge, finer_ridge], [ITEMS, PARTS]) * active.sum() + dropout / (1 - dropout) * inputs.sum(
        axis=0
    )
    others = [n for n in range(ITEMS + PARTS) if n != 1 and n not in data.parts[1]]
    given = inputs[:, others]
    weights = np.linalg.solve(given.T @ given + np.diag(penalty[others]), given.T @ inputs[:, 1])
    mean = inputs[active].mean(axis=0)
    expected = mean[1] + (given - mean[others]) @ weights
    assert finer_edlae(data, ridge, dropout, finer_ridge)[:, 1] == pytest.approx(expected)


def test_the_nearest_customer_by_decayed_frequency_says_what_is_next() -> None:
    """Groups of two from the latest back: lately tea, before that jam. The other tea drinker, lately, knows soap."""
    bought = {  # customer: baskets from the latest back
        0: ["tea", "jam"],
        1: ["tea", "soap"],
        2: ["jam", "jam"],
    }
    names = ["jam", "soap", "tea"]
    facts = pd.DataFrame(
        {"customer": c, "item": names.index(item), "basket": 10 * c + n, "age": 1 + n}
        for c, items in bought.items()
        for n, item in enumerate(items)
    )
    counts = np.zeros((3, 3))
    np.add.at(counts, (facts["customer"], facts["item"]), 1)
    nothing = np.zeros((3, 0))
    data = Split(
        ["a", "b", "c"], names, counts, counts > 9, np.ones(3, dtype=bool), np.arange(3), facts, nothing, [[], [], []]
    )
    scores = tifu_knn(data, group=2, within=0.5, between=0.9, k=1)
    # Vectors (jam, soap, tea): a = (.25, 0, .5), b = (0, .25, .5); their cosine is .25 / .3125.
    assert scores[0] == pytest.approx([0, 0.8, 0.8])
