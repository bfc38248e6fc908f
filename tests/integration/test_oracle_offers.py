"""Next best offers on the demo, against numpy: EDLAE by matrix inversion (Steck 2020), and facts about each offer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.integration import retailer
from tests.integration.project import ROOT, Build

pytestmark = pytest.mark.demo

# The tables hold whole billionths; a score is a sum over some 300 of them.
TOLERANCE = 5e-7


@dataclass(frozen=True)
class Model:
    """Customers and items by the alphabet, whether bought, how much an item says for another, and every score."""

    customers: list[str]
    items: list[str]
    bought: np.ndarray
    shares: np.ndarray
    weights: np.ndarray
    scores: np.ndarray


@pytest.fixture(scope="module")
def settings() -> dict[str, float]:
    return yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]


@pytest.fixture(scope="module")
def model(settings: dict[str, float]) -> Model:
    table = retailer.basket_items()
    counts = table.groupby(["customer_id", "category"]).size().unstack(fill_value=0).sort_index().sort_index(axis=1)
    bought = (counts.to_numpy() > 0).astype(float)
    shared = bought.T @ bought
    noise = settings["offer_dropout"] / (1 - settings["offer_dropout"]) * shared.diagonal()
    inverse = np.linalg.inv(shared + np.diag(settings["offer_ridge"] * len(bought) + noise))
    weights = -inverse / inverse.diagonal()
    np.fill_diagonal(weights, 0)
    shares = bought.mean(axis=0)
    scores = shares + (bought - shares) @ weights
    return Model(list(counts.index), list(counts.columns), bought, shares, weights, scores)


@pytest.fixture(scope="module")
def offers(demo_build: Build) -> pd.DataFrame:
    return demo_build.frame("select * from next_best_offers order by customer_id, offer_rank")


@pytest.fixture(scope="module")
def buyers_offers(offers: pd.DataFrame, model: Model) -> pd.DataFrame:
    """Offers of those who ever bought, with their row and column in the model."""
    found = offers[offers["customer_id"].isin(model.customers)].copy()
    found["row"] = found["customer_id"].map({customer: n for n, customer in enumerate(model.customers)})
    found["column"] = found["item"].map({item: n for n, item in enumerate(model.items)})
    return found


def test_offers_were_never_bought_before(offers: pd.DataFrame) -> None:
    bought = set(zip(retailer.basket_items()["customer_id"], retailer.basket_items()["category"], strict=True))
    assert len(offers) > 20_000
    assert not bought & set(zip(offers["customer_id"], offers["item"], strict=True))


def test_ranks_run_from_one_to_ten_without_gaps_and_scores_fall(offers: pd.DataFrame) -> None:
    for _, rows in offers.groupby("customer_id"):
        assert list(rows["offer_rank"]) == list(range(1, len(rows) + 1))
        assert rows["score"].is_monotonic_decreasing
    assert offers["offer_rank"].max() == 10


def test_scores_equal_the_matrix_computation(buyers_offers: pd.DataFrame, model: Model) -> None:
    expected = model.scores[buyers_offers["row"], buyers_offers["column"]]
    np.testing.assert_allclose(buyers_offers["score"], expected, rtol=0, atol=TOLERANCE)


def test_offers_are_the_best_scores_within_the_limit_on_departments(
    buyers_offers: pd.DataFrame, model: Model, settings: dict[str, float]
) -> None:
    lines = retailer.lines()
    lines = lines[lines["is_positive"] & lines["category"].notna()]
    counts = lines.groupby(["category", "department"]).size().reset_index(name="n")
    counts = counts.sort_values(["category", "n", "department"], ascending=[True, False, True])
    departments = counts.drop_duplicates("category").set_index("category")["department"]
    most, limit = int(settings["offers_per_customer"]), int(settings["offers_per_department"])
    for row, found in buyers_offers.groupby("row"):
        open_scores = np.where(model.bought[row] > 0, -np.inf, model.scores[row])
        order = [column for column in np.argsort(-open_scores, kind="stable") if np.isfinite(open_scores[column])]
        first, rest, taken = [], [], dict.fromkeys(departments.unique(), 0)
        for column in order:
            department = departments[model.items[column]]
            (first if taken[department] < limit else rest).append(column)
            taken[department] += 1
        expected = sorted([*first, *rest][:most], key=lambda column: -open_scores[column])
        gaps = model.scores[row, found["column"]] - model.scores[row, expected]
        assert np.abs(gaps).max() < TOLERANCE, model.customers[row]


def test_reason_is_the_item_bought_that_moves_the_score_most(buyers_offers: pd.DataFrame, model: Model) -> None:
    """Most beyond an average customer's, and only where it speaks for the offer."""
    pushes = model.weights * (1 - model.shares[:, None])
    with_reason = buyers_offers[buyers_offers["because_item"].notna()]
    assert len(with_reason) > 0.9 * len(buyers_offers)
    reasons = with_reason["because_item"].map({item: n for n, item in enumerate(model.items)}).to_numpy()
    columns = with_reason["column"].to_numpy()
    own = np.where(model.bought[with_reason["row"]] > 0, pushes[:, columns].T, -np.inf)
    np.testing.assert_allclose(pushes[reasons, columns], own.max(axis=1), rtol=0, atol=3e-9)
    assert (pushes[reasons, columns] > 0).all()


def test_reason_says_when_and_how_often_it_was_bought(buyers_offers: pd.DataFrame) -> None:
    told = buyers_offers[buyers_offers["because_item"].notna()]
    facts = retailer.basket_items().groupby(["customer_id", "category"])["bought_on"].agg(["max", "size"])
    expected = facts.reindex(pd.MultiIndex.from_frame(told[["customer_id", "because_item"]]))
    assert (told["because_last_bought_on"].to_numpy() == expected["max"].to_numpy()).all()
    assert (told["because_times_bought"].to_numpy() == expected["size"].to_numpy()).all()


def test_who_never_bought_is_offered_what_most_customers_buy(offers: pd.DataFrame, model: Model) -> None:
    never = offers[~offers["customer_id"].isin(model.customers)]
    assert never[["because_item", "because_last_bought_on", "because_times_bought"]].isna().all(axis=None)
    column = {item: n for n, item in enumerate(model.items)}
    expected = (model.shares - model.shares @ model.weights)[never["item"].map(column)]
    np.testing.assert_allclose(never["score"], expected, rtol=0, atol=TOLERANCE)
