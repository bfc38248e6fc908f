"""Next best offers on the demo, against numpy's inverse and matrix products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from tests.support import retailer
from tests.support.project import Build

pytestmark = pytest.mark.demo

MOST = 10
MOST_OF_A_DEPARTMENT = 7
RIDGE, DROPOUT = 0.2, 0.5  # as in dbt_project.yml
# The demo's categories that seeds/offer_exclusions.csv must keep out, by hand.
EXCLUDED = {
    "ADULT INCONTINENCE",
    "BEERS/ALES",
    "CIGARETTES",
    "CIGARS",
    "DOMESTIC WINE",
    "FAMILY PLANNING",
    "IMPORTED WINE",
    "INFANT FORMULA",
    "LAXATIVES",
    "LIQUOR",
    "MISC WINE",
    "PHARMACY",
    "SMOKING CESSATIONS",
    "TOBACCO OTHER",
}


@dataclass(frozen=True)
class Matrix:
    """Customers and items in alphabetical order; presence (customers x items), weights (items x items), base score and
    department of each item, and scores (customers x items), all by numpy."""

    customers: list[str]
    items: list[str]
    departments: np.ndarray
    presence: np.ndarray
    shares: np.ndarray
    weights: np.ndarray
    base: np.ndarray
    scores: np.ndarray


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    table = retailer.basket_items()
    presence = (table.groupby(["customer_id", "category"]).size().unstack(fill_value=0) > 0).astype(float)
    # Who bought nothing else is still a customer.
    assert set(presence.columns) >= EXCLUDED
    presence = presence.sort_index().sort_index(axis=1).drop(columns=sorted(EXCLUDED))
    bought = presence.to_numpy()
    together = bought.T @ bought
    penalty = RIDGE * len(bought) + DROPOUT / (1 - DROPOUT) * together.diagonal()
    inverse = np.linalg.inv(together + np.diag(penalty))
    weights = -inverse / inverse.diagonal()
    np.fill_diagonal(weights, 0)
    shares = bought.mean(axis=0)
    base = shares - shares @ weights
    lines = retailer.all_lines()
    lines = lines[lines["is_merchandise"] & lines["is_positive"] & lines["category"].notna()]
    counts = lines.groupby(["category", "department"]).size().reset_index(name="n")
    counts = counts.sort_values(["category", "n", "department"], ascending=[True, False, True])
    departments = counts.drop_duplicates("category").set_index("category")["department"].reindex(presence.columns)
    return Matrix(
        list(presence.index),
        list(presence.columns),
        departments.to_numpy(dtype=str),
        bought,
        shares,
        weights,
        base,
        base + bought @ weights,
    )


@pytest.fixture(scope="module")
def offers(demo_build: Build) -> pd.DataFrame:
    return demo_build.frame("select * from next_best_offers order by customer_id, offer_rank")


@pytest.fixture(scope="module")
def buyers_offers(offers: pd.DataFrame, matrix: Matrix) -> pd.DataFrame:
    """Offers of customers with a purchase."""
    return offers[offers["customer_id"].isin(matrix.customers)]


def _places(offers: pd.DataFrame, matrix: Matrix) -> tuple[np.ndarray, np.ndarray]:
    row = {customer: n for n, customer in enumerate(matrix.customers)}
    column = {item: n for n, item in enumerate(matrix.items)}
    return offers["customer_id"].map(row).to_numpy(), offers["item"].map(column).to_numpy()


def test_weights_equal_numpys_inverse(demo_build: Build, matrix: Matrix) -> None:
    found = demo_build.frame("select position, other_position, weight / 1e9 as weight from int_item_weights")
    assert len(found) == len(matrix.items) * (len(matrix.items) - 1)
    expected = matrix.weights[found["position"] - 1, found["other_position"] - 1]
    np.testing.assert_allclose(found["weight"], expected, rtol=0, atol=6e-10)  # whole billionths


def test_offers_were_never_bought_before(offers: pd.DataFrame) -> None:
    bought = set(zip(retailer.basket_items()["customer_id"], retailer.basket_items()["category"], strict=True))
    assert not bought & set(zip(offers["customer_id"], offers["item"], strict=True))


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("next_best_offers", "item"),
        ("next_best_offers", "because_item"),
        ("cross_sell_gaps", "gap_item"),
        ("cross_sell_gaps", "because_item"),
    ],
)
def test_what_is_excluded_is_named_neither_as_offer_nor_as_reason(demo_build: Build, table: str, column: str) -> None:
    found = {item for (item,) in demo_build.rows(f"select distinct {column} from {table}")}
    assert len(found) > 20
    assert not found & EXCLUDED


def test_affinities_count_what_is_excluded_from_offers(demo_build: Build) -> None:
    found = demo_build.rows("select distinct antecedent from product_affinities where item_level = 'category'")
    assert {item for (item,) in found} >= EXCLUDED - {"PHARMACY"}


def test_ranks_run_from_one_without_gaps_and_scores_fall(offers: pd.DataFrame) -> None:
    for _, rows in offers.groupby("customer_id"):
        assert list(rows["offer_rank"]) == list(range(1, len(rows) + 1))
        assert rows["score"].is_monotonic_decreasing


def test_every_customer_gets_as_many_offers_as_there_are_items_left(offers: pd.DataFrame, matrix: Matrix) -> None:
    left = np.minimum(MOST, (matrix.presence == 0).sum(axis=1))
    expected = dict.fromkeys(retailer.rfm().index, MOST) | dict(zip(matrix.customers, left, strict=True))
    assert offers.groupby("customer_id").size().to_dict() == expected


def test_scores_equal_the_matrix_product(buyers_offers: pd.DataFrame, matrix: Matrix) -> None:
    u, i = _places(buyers_offers, matrix)
    np.testing.assert_allclose(buyers_offers["score"], matrix.scores[u, i], rtol=0, atol=3e-7)


def test_offers_are_the_best_within_the_limit_on_departments(buyers_offers: pd.DataFrame, matrix: Matrix) -> None:
    u, i = _places(buyers_offers, matrix)
    chosen = np.zeros_like(matrix.presence, dtype=bool)
    chosen[u, i] = True
    for customer in range(len(matrix.customers)):
        kept: dict[str, int] = {}
        best = []
        for item in np.argsort(-matrix.scores[customer], kind="stable"):
            department = matrix.departments[item]
            if matrix.presence[customer, item] == 0 and kept.get(department, 0) < MOST_OF_A_DEPARTMENT:
                kept[department] = kept.get(department, 0) + 1
                best.append(matrix.scores[customer, item])
            if len(best) == MOST:
                break
        found = np.sort(matrix.scores[customer, chosen[customer]])[::-1]
        np.testing.assert_allclose(found, best, rtol=0, atol=1e-6)


def test_reason_is_the_item_bought_that_adds_most_beyond_an_average_customer(
    buyers_offers: pd.DataFrame, matrix: Matrix
) -> None:
    u, i = _places(buyers_offers, matrix)
    added = matrix.presence[u] * (matrix.weights * (1 - matrix.shares)[:, None])[:, i].T
    strongest = added.max(axis=1)
    column = {item: n for n, item in enumerate(matrix.items)}
    told = buyers_offers["because_item"].notna().to_numpy()
    assert (told == (strongest > 1e-9)).all()
    reason = buyers_offers["because_item"][told].map(column).to_numpy()
    np.testing.assert_allclose(added[told, reason], strongest[told], rtol=0, atol=2e-9)


def test_reason_says_when_and_how_often_it_was_bought(offers: pd.DataFrame) -> None:
    offers = offers[offers["because_item"].notna()]
    facts = retailer.basket_items().groupby(["customer_id", "category"])["bought_on"].agg(["max", "size"])
    expected = facts.reindex(pd.MultiIndex.from_frame(offers[["customer_id", "because_item"]]))
    assert (offers["because_last_bought_on"].to_numpy() == expected["max"].to_numpy()).all()
    assert (offers["because_times_bought"].to_numpy() == expected["size"].to_numpy()).all()


def test_customers_without_history_get_the_base_order_and_no_reason(offers: pd.DataFrame, matrix: Matrix) -> None:
    strangers = offers[~offers["customer_id"].isin(matrix.customers)]
    assert len(strangers) >= MOST
    assert strangers[["because_item", "because_last_bought_on", "because_times_bought"]].isna().all(axis=None)
    base = dict(zip(matrix.items, matrix.base, strict=True))
    np.testing.assert_allclose(strangers["score"], strangers["item"].map(base), rtol=0, atol=3e-7)
