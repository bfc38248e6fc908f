"""Next best offers on the demo, against a numpy matrix product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from tests.integration import retailer
from tests.integration.project import Build

pytestmark = pytest.mark.demo

MOST = 10


@dataclass(frozen=True)
class Matrix:
    """Customers and items in alphabetical order, baskets with the item, whole weights, whole similarities, and scores."""

    customers: list[str]
    items: list[str]
    bought: np.ndarray
    weights: np.ndarray
    similarities: np.ndarray
    scores: np.ndarray


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    table = retailer.basket_items()
    bought = table.groupby(["customer_id", "category"]).size().unstack(fill_value=0).sort_index().sort_index(axis=1)
    counts = bought.to_numpy()
    weights = np.where(counts > 0, np.round(1000 * np.log1p(counts)), 0)
    products = weights.T @ weights
    lengths = np.sqrt(products.diagonal())
    similarities = np.round(1_000_000 * products / np.outer(lengths, lengths))
    np.fill_diagonal(similarities, 0)
    return Matrix(list(bought.index), list(bought.columns), counts, weights, similarities, weights @ similarities)


@pytest.fixture(scope="module")
def offers(demo_build: Build) -> pd.DataFrame:
    return demo_build.frame("select * from next_best_offers order by customer_id, offer_rank")


def test_offers_were_never_bought_before(offers: pd.DataFrame) -> None:
    bought = set(zip(retailer.basket_items()["customer_id"], retailer.basket_items()["category"], strict=True))
    assert not bought & set(zip(offers["customer_id"], offers["item"], strict=True))


def test_ranks_run_from_one_without_gaps_and_scores_fall(offers: pd.DataFrame) -> None:
    for _, rows in offers.groupby("customer_id"):
        assert list(rows["offer_rank"]) == list(range(1, len(rows) + 1))
        assert rows["score"].is_monotonic_decreasing


def test_every_buyer_gets_as_many_offers_as_there_are_items_left(offers: pd.DataFrame, matrix: Matrix) -> None:
    left = np.minimum(MOST, ((matrix.bought == 0) & (matrix.scores > 0)).sum(axis=1))
    assert offers.groupby("customer_id").size().to_dict() == dict(zip(matrix.customers, left, strict=True))


def test_offers_and_scores_equal_the_matrix_product(offers: pd.DataFrame, matrix: Matrix) -> None:
    row = {customer: n for n, customer in enumerate(matrix.customers)}
    open_scores = np.where(matrix.bought == 0, matrix.scores, -1)
    order = np.argsort(-open_scores, axis=1, kind="stable")  # ties: the alphabet
    expected = [
        matrix.items[order[row[c], rank - 1]]
        for c, rank in zip(offers["customer_id"], offers["offer_rank"], strict=True)
    ]
    assert (offers["item"] == expected).all()
    column = {item: n for n, item in enumerate(matrix.items)}
    scores = matrix.scores[offers["customer_id"].map(row), offers["item"].map(column)]
    np.testing.assert_allclose(offers["score"], scores / 1e9, rtol=1e-12)


def test_reason_is_the_item_bought_that_adds_most(offers: pd.DataFrame, matrix: Matrix) -> None:
    row = offers["customer_id"].map({customer: n for n, customer in enumerate(matrix.customers)}).to_numpy()
    column = offers["item"].map({item: n for n, item in enumerate(matrix.items)}).to_numpy()
    contributions = matrix.weights[row] * matrix.similarities[:, column].T
    strongest = np.array(matrix.items)[contributions.argmax(axis=1)]
    assert (offers["because_item"] == strongest).all()


def test_reason_says_when_and_how_often_it_was_bought(offers: pd.DataFrame) -> None:
    facts = retailer.basket_items().groupby(["customer_id", "category"])["bought_on"].agg(["max", "size"])
    expected = facts.reindex(pd.MultiIndex.from_frame(offers[["customer_id", "because_item"]]))
    assert (offers["because_last_bought_on"].to_numpy() == expected["max"].to_numpy()).all()
    assert (offers["because_times_bought"].to_numpy() == expected["size"].to_numpy()).all()
