"""What the literature offers for the next new item, that `make benchmark-offers` tries beside ours.

Belongs here: models over a Split of offers.py, each as scores of customers x items. None of them is in the project;
docs/cross-sell.md says what came of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tests.benchmarks.offers import Split


def tifu_knn(data: Split, group: int, within: float, between: float, k: int) -> np.ndarray:
    """Neighbours by decayed personal frequency: baskets in groups of `group` from the latest back, weighed by
    `within` ** place in the group and `between` ** group; what `k` customers of most similar vectors bought, weighed by
    the cosine. A customer's own part of the model ranks what was bought before, so it is left out.

    Source: Hu, He, Gao and Zhang (2020), Modeling personalized item frequency information for next-basket
    recommendation, SIGIR.
    """
    facts = data.facts
    baskets = facts.groupby(["customer", "basket"], as_index=False)["age"].min().sort_values(["age", "basket"])
    baskets["place"] = baskets.groupby("customer").cumcount()
    baskets["number"] = baskets.groupby("customer")["place"].transform("size")
    facts = facts.merge(baskets[["basket", "place", "number"]], on="basket")
    number, groups = facts["place"] // group, np.ceil(facts["number"] / group)
    size = np.where(number == groups - 1, facts["number"] - number * group, group)
    vectors = np.zeros(data.counts.shape)
    weights = within ** (facts["place"] % group) / size * between**number / groups
    np.add.at(vectors, (facts["customer"], facts["item"]), weights)
    vectors[:, ~data.allowed] = 0
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    similar = unit @ unit.T
    np.fill_diagonal(similar, -np.inf)
    nearest = np.argpartition(-similar, k, axis=1)[:, :k]
    kept = np.zeros_like(similar)
    np.put_along_axis(kept, nearest, np.maximum(np.take_along_axis(similar, nearest, axis=1), 0), axis=1)
    return kept @ _bought(data)


def decayed_edlae(data: Split, half_life: float, ridge: float, dropout: float) -> np.ndarray:
    """Ours over when an item was bought last in place of whether: 0.5 ** (days since then / half_life)."""
    inputs = np.zeros(data.counts.shape)
    np.maximum.at(inputs, (data.facts["customer"], data.facts["item"]), 0.5 ** (data.facts["age"] / half_life))
    inputs[:, ~data.allowed] = 0
    active = inputs.any(axis=1)
    mean = inputs[active].mean(axis=0)
    rows = active.sum() * (inputs[inputs > 0] ** 2).mean()
    return mean + (inputs - mean) @ _weights(inputs, ridge * rows, dropout, [])


def finer_edlae(data: Split, ridge: float, dropout: float, finer_ridge: float) -> np.ndarray:
    """Ours with items of the next finer level as further inputs, of which none speaks for the item that it is part of.

    With P the inverse of today's matrix over both and S_j = {j and its parts}, column j of the weights is
    -P[:, S_j] (P[S_j, S_j])^-1 e_1, and 0 in the rows of S_j: the constrained least squares of Steck (2019), a
    group of forbidden inputs an item in place of one.
    """
    inputs = np.hstack([_bought(data), data.finer])
    active = inputs[:, : len(data.items)].any(axis=1)
    mean = inputs[active].mean(axis=0)
    ridges = np.repeat([ridge, finer_ridge], [len(data.items), data.finer.shape[1]]) * active.sum()
    return mean[: len(data.items)] + (inputs - mean) @ _weights(inputs, ridges, dropout, data.parts)


def _bought(data: Split) -> np.ndarray:
    return ((data.counts > 0) & data.allowed).astype(float)


def _weights(inputs: np.ndarray, ridge: float | np.ndarray, dropout: float, parts: list[list[int]]) -> np.ndarray:
    """Weights inputs x items, by `ridge` (added to the diagonal) and dropout; `parts`: the inputs an item that must not
    speak for it, besides itself; without it, every input is an item."""
    together = inputs.T @ inputs
    penalty = ridge + dropout / (1 - dropout) * together.diagonal()
    inverse = np.linalg.inv(together + np.diag(np.where(penalty > 0, penalty, 1)))
    groups = [[item, *others] for item, others in enumerate(parts or [[] for _ in range(inputs.shape[1])])]
    weights = np.zeros((inputs.shape[1], len(groups)))
    for item, group in enumerate(groups):
        weights[:, item] = -inverse[:, group] @ np.linalg.inv(inverse[np.ix_(group, group)])[:, 0]
        weights[group, item] = 0
    return weights
