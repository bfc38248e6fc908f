"""What the one table compares is the same work: the least in plain DuckDB and the peers count the same pairs."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from tests.benchmarks import bare, peers, together
from tests.benchmarks.measure import Cost
from tests.benchmarks.together import OURS, Row


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 orders of some of 12 products, two a category, in 200 days."""
    folder, rng = tmp_path_factory.mktemp("least"), random.Random(7)
    lines = [
        {
            "order_id": f"o{order}",
            "customer_id": f"c{order % 23}",
            "product_id": f"p{product}",
            "ordered_at": pd.Timestamp("2025-01-01") + pd.Timedelta(days=order * 200 // 300, hours=8 + order % 12),
            "quantity": 1,
            "amount": 1.5,
            "discount_amount": 0.1,
        }
        for order in range(300)
        for product in rng.sample(range(12), rng.randint(1, 6))
    ]
    products = [
        {
            "product_id": f"p{n}",
            "department": f"d{n % 2}",
            "category": f"k{n // 2}",
            "subcategory": f"s{n}",
            "brand_tier": "private",
        }
        for n in range(12)
    ]
    for table, rows in {
        "order_lines": lines,
        "products": [{**row, "brand_tier": "private"} for row in products],
    }.items():
        (folder / table).mkdir()
        pd.DataFrame(rows).to_parquet(folder / table / "rows.parquet")
    return folder


def counted(landing: Path) -> Counter[tuple[str, str]]:
    """Unordered pairs of categories and their baskets, counted by hand."""
    lines = pd.read_parquet(landing / "order_lines").merge(pd.read_parquet(landing / "products"), on="product_id")
    baskets = lines.groupby("order_id")["category"].agg(set)
    counts = Counter(pair for items in baskets for pair in itertools.combinations(sorted(items), 2))
    return Counter({pair: n for pair, n in counts.items() if n >= peers.LEAST})


def test_the_least_makes_every_mart_and_the_pairs_that_there_are(landing: Path, tmp_path: Path) -> None:
    rows = bare.run(landing, tmp_path / "bare")
    # Everybody has bought of all six categories: there is nothing new to offer.
    assert {name for name, n in rows.items() if n == 0} == {"next_best_offers"} and set(rows) == set(bare.STEPS)
    found = pd.read_parquet(tmp_path / "bare" / "product_affinities.parquet")
    pairs = found[(found.item_level == "category") & (found.antecedent < found.consequent)]
    assert dict(zip(zip(pairs.antecedent, pairs.consequent, strict=True), pairs.n_both, strict=True)) == counted(
        landing
    )
    history = pd.read_parquet(tmp_path / "bare" / "history.parquet")
    assert history.groupby(["scheme", "customer_id"])["valid_to"].apply(lambda ends: ends.isna().sum()).eq(1).all()


@pytest.mark.parametrize("name", ["bare DuckDB", "pandas", "mlxtend fpgrowth()", "mlxtend apriori(low_memory=True)"])
def test_peers_find_the_pairs_that_there_are(landing: Path, tmp_path: Path, name: str) -> None:
    lines = pd.read_parquet(landing / "order_lines").merge(pd.read_parquet(landing / "products"), on="product_id")
    bought = lines.rename(columns={"order_id": "basket", "category": "item"})[["basket", "item"]].drop_duplicates()
    bought.to_parquet(tmp_path / "bought.parquet")
    expected = counted(landing)
    assert peers.PEERS[name][1](tmp_path / "bought.parquet")() == (len(expected), expected.total())
    said = together.peer("pairs", name, tmp_path / "bought.parquet", (len(expected), expected.total() + 1)).said
    assert said == f"DIFFERS: {[len(expected), expected.total()]} for {[len(expected), expected.total() + 1]}"


def test_the_table_holds_the_spread_of_the_ratios_and_says_who_is_missing() -> None:
    def run(ours: float) -> list[Row]:
        return [
            Row("pairs", OURS, Cost(ours, 1, 10)),
            Row("pairs", "pandas", Cost(2, 1, 10)),
            Row("pairs", "Polars", None, "not installed"),
        ]

    lines = together.printed([run(3), run(5)]).splitlines()
    assert lines[1].split() == ["pairs", "this", "project", "3.00", "1.00", "10"]
    assert lines[2].split() == ["pairs", "pandas", "2.00", "1.00", "10", "1.50", "to", "2.50", "times"]
    assert lines[3].split() == ["pairs", "Polars", "-", "-", "-", "not", "installed"]
