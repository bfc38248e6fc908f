"""One peer at one piece of work, in a process of its own: `python -m tests.benchmarks.peers NAME FILE`.

Belongs here: what each peer is asked, in its own words; reading the file and bringing it into the shape that a peer
wants is not measured. Does not belong here: who is compared with whom (together.py).

Prints JSON: CPU and wall seconds, megabytes, the peer's version, and what it found, to be compared.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import cost_of

LEAST = 5
# Pairs found, and the sum of their baskets.
Found = tuple[int, int]


def duckdb_pairs(path: Path) -> Callable[[], Found]:
    """Plain SQL on a table in memory: counts and six measures, both directions."""
    import duckdb

    con = duckdb.connect()
    con.execute("set threads = 2; set enable_progress_bar = false")
    con.execute(f"create table bought as from '{path}'")

    def work() -> Found:
        con.execute(f"""
            create table rules as
            with n as (select count(distinct basket) as n from bought),
            singles as (select item, count(*) as n from bought group by item),
            pairs as (
                select a.item as a, b.item as b, count(*) as n_ab from bought as a
                inner join bought as b on a.basket = b.basket and a.item <> b.item
                group by a.item, b.item having count(*) >= {LEAST}
            )
            select a, b, n_ab, n_ab / n.n as support, n_ab / x.n as confidence, n_ab * n.n / (x.n * y.n) as lift,
                n_ab / n.n - x.n * y.n / n.n / n.n as leverage, n_ab / (x.n + y.n - n_ab) as jaccard,
                0.5 * (n_ab / x.n + n_ab / y.n) as kulczynski
            from pairs cross join n inner join singles as x on x.item = a inner join singles as y on y.item = b""")
        [(pairs, baskets)] = con.sql("select count(*) // 2, sum(n_ab)::bigint // 2 from rules").fetchall()
        return int(pairs), int(baskets)

    return work


def pandas_pairs(path: Path) -> Callable[[], Found]:
    """A merge of the baskets with themselves."""
    import pandas as pd

    bought = pd.read_parquet(path)
    bought["item"] = bought["item"].astype("category").cat.codes

    def work() -> Found:
        merged = bought.merge(bought, on="basket")
        counts = merged[merged.item_x < merged.item_y].groupby(["item_x", "item_y"]).size().rename("n").reset_index()
        return _measured(counts[counts["n"] >= LEAST], bought.groupby("item").size(), bought["basket"].nunique())

    return work


def _measured(pairs: Any, singles: Any, n: int) -> Found:
    a, b = pairs["item_x"].map(singles), pairs["item_y"].map(singles)
    measures = pairs.assign(
        support=pairs.n / n,
        confidence=pairs.n / a,
        lift=pairs.n * n / (a * b),
        leverage=pairs.n / n - a * b / n / n,
        jaccard=pairs.n / (a + b - pairs.n),
        kulczynski=0.5 * (pairs.n / a + pairs.n / b),
    )
    return len(measures), int(measures["n"].sum())


def polars_pairs(path: Path) -> Callable[[], Found]:
    """The same, lazily."""
    import polars as pl

    bought = pl.read_parquet(path).with_columns(pl.col("item").cast(pl.Categorical).to_physical())

    def work() -> Found:
        lazy = bought.lazy()
        singles = lazy.group_by("item").agg(pl.len().alias("n_a"))
        n = bought["basket"].n_unique()
        pairs = (
            lazy.join(lazy, on="basket")
            .filter(pl.col("item") < pl.col("item_right"))
            .group_by("item", "item_right")
            .agg(pl.len().alias("n"))
            .filter(pl.col("n") >= LEAST)
            .join(singles, on="item")
            .join(singles.rename({"item": "item_right", "n_a": "n_b"}), on="item_right")
            .with_columns(
                support=pl.col("n") / n,
                confidence=pl.col("n") / pl.col("n_a"),
                lift=pl.col("n") * n / (pl.col("n_a") * pl.col("n_b")),
                jaccard=pl.col("n") / (pl.col("n_a") + pl.col("n_b") - pl.col("n")),
            )
            .collect()
        )
        return pairs.height, int(pairs["n"].sum())

    return work


def _lists(path: Path) -> list[list[str]]:
    import pandas as pd

    return [list(items) for _, items in pd.read_parquet(path).groupby("basket")["item"]]


def _one_hot(path: Path) -> Any:
    import pandas as pd
    from mlxtend.preprocessing import TransactionEncoder

    lists = _lists(path)
    encoder = TransactionEncoder()
    return pd.DataFrame(encoder.fit(lists).transform(lists), columns=encoder.columns_)


def _mlxtend(path: Path, miner: str, **options: Any) -> Callable[[], Found]:
    from mlxtend import frequent_patterns

    bought = _one_hot(path)
    support = (LEAST - 0.5) / len(bought)

    def work() -> Found:
        mine = getattr(frequent_patterns, miner)
        found = mine(bought, min_support=support, max_len=2, use_colnames=True, **options)
        rules = frequent_patterns.association_rules(
            found, num_itemsets=len(bought), metric="support", min_threshold=support
        )
        return len(rules) // 2, round(float((rules["support"] * len(bought)).sum() / 2))

    return work


def mlxtend_fpgrowth(path: Path) -> Callable[[], Found]:
    return _mlxtend(path, "fpgrowth")


def mlxtend_low_memory(path: Path) -> Callable[[], Found]:
    return _mlxtend(path, "apriori", low_memory=True)


def efficient_apriori_pairs(path: Path) -> Callable[[], Found]:
    """Its item sets; its rules are of all larger sets too, and are left out."""
    from efficient_apriori import itemsets_from_transactions

    lists = [tuple(each) for each in _lists(path)]

    def work() -> Found:
        found, _ = itemsets_from_transactions(lists, min_support=(LEAST - 0.5) / len(lists), max_length=2)
        return len(found[2]), sum(found[2].values())

    return work


def pyfim_pairs(path: Path) -> Callable[[], Found]:
    """Borgelt's eclat, in C."""
    import fim

    lists = _lists(path)

    def work() -> Found:
        found = fim.eclat(lists, target="s", supp=-LEAST, zmin=2, zmax=2, report="a")
        return len(found), sum(count for _, count in found)

    return work


# Name in the table -> (package, work).
PEERS: dict[str, tuple[str, Callable[[Path], Callable[[], Found]]]] = {
    "bare DuckDB": ("duckdb", duckdb_pairs),
    "pandas": ("pandas", pandas_pairs),
    "Polars": ("polars", polars_pairs),
    "mlxtend fpgrowth()": ("mlxtend", mlxtend_fpgrowth),
    "mlxtend apriori(low_memory=True)": ("mlxtend", mlxtend_low_memory),
    "efficient-apriori": ("efficient-apriori", efficient_apriori_pairs),
    "PyFIM eclat": ("pyfim", pyfim_pairs),
}


def main() -> int:
    """Run one."""
    name, path = sys.argv[1], Path(sys.argv[2])
    package, prepare = PEERS[name]
    try:
        work = prepare(path)
        installed = version(package)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}))
        return 0
    found, cost = cost_of(work)
    told = {"cpu": cost.cpu, "wall": cost.wall, "memory": cost.memory, "version": installed, "found": found}
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
