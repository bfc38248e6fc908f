"""`make benchmark-affinities`: the demo's category rules, side by side with mlxtend and efficient-apriori.

Equal work: every pair of categories in at least min_pair_count baskets, as rules in both directions with their
measures. Equal rules and equal supports are checked before any time is printed. The libraries get the baskets in the
shape they want, ready in memory: making that shape is not counted. Ours is counted from the facts (basket, item) on,
with the Fisher tests and q-values that the libraries do not have; `without tests` leaves those out.

Needs the packages of the extra `benchmark`. Prints a table; exit 1 where rules or supports differ, or where the
CPU of mlxtend's fpgrowth is less than TARGET times ours. Its apriori, held to pairs, is far faster and is told beside.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from tests.benchmarks.measure import BUILD, Cost, cost_of, dbt, in_own_process, table

TARGET = 15
MIN_PAIR_COUNT = 5
MODELS = ("int_unit_items", "int_unit_sizes", "int_item_counts", "int_item_pairs")
TESTED = (*MODELS, "int_pair_tests", "product_affinities")
VARIABLES = "{affinity_levels: [category], sequence_levels: [], offer_level: category}"

Rules = dict[tuple[str, str], float]


def ours(warehouse: Path, models: tuple[str, ...]) -> int:
    """Runs the models' own SQL on the facts; rows of the last one."""
    with duckdb.connect(str(warehouse / "build" / "warehouse.duckdb"), read_only=True) as con:
        con.execute("set threads = 2")
        for model in models:
            (path,) = (warehouse / "target" / "compiled").rglob(f"{model}.sql")
            con.execute(f"create temp table result_of_{model} as {path.read_text(encoding='utf-8')}")
        return con.sql(f"select count(*) from result_of_{models[-1]}").fetchall()[0][0]


def _baskets(warehouse: Path) -> pd.DataFrame:
    with duckdb.connect(str(warehouse / "build" / "warehouse.duckdb"), read_only=True) as con:
        return con.sql(
            """select numbers.basket_number, items.item from int_basket_numbers as numbers
            inner join int_as_of_dates as dates on dates.is_current and numbers.basket_on < dates.as_of
            left join int_unit_items as units
                on units.sales_window = 'basket' and units.item_level = 'category'
                and numbers.basket_number = units.unit_number
            left join int_affinity_items as items on units.item_number = items.item_number
            order by numbers.basket_number, items.item"""
        ).df()


def one_hot(warehouse: Path) -> pd.DataFrame:
    """Baskets x categories, true where bought."""
    rows = _baskets(warehouse)
    baskets, _ = pd.factorize(rows["basket_number"])
    items = pd.Categorical(rows["item"])
    bought = np.zeros((baskets.max() + 1, len(items.categories)), dtype=bool)
    known = items.codes >= 0
    bought[baskets[known], items.codes[known]] = True
    return pd.DataFrame(bought, columns=items.categories)


def transactions(warehouse: Path) -> list[tuple[str, ...]]:
    """One tuple of categories a basket."""
    rows = _baskets(warehouse)
    return [tuple(items.dropna()) for _, items in rows.groupby("basket_number")["item"]]


def _mlxtend(miner: str, bought: pd.DataFrame) -> Rules:
    from mlxtend import frequent_patterns

    options = {"low_memory": True} if miner == "apriori" else {}
    # A little below the count, so that rounding cannot lose a pair that is just frequent enough.
    support = (MIN_PAIR_COUNT - 0.5) / len(bought)
    found = getattr(frequent_patterns, miner)(bought, min_support=support, max_len=2, use_colnames=True, **options)
    rules = frequent_patterns.association_rules(
        found, num_itemsets=len(bought), metric="support", min_threshold=support
    )
    pairs = zip(rules["antecedents"].map(min), rules["consequents"].map(min), strict=True)
    return dict(zip(pairs, rules["support"], strict=True))


def _efficient_apriori(baskets: list[tuple[str, ...]]) -> Rules:
    from efficient_apriori import apriori

    support = (MIN_PAIR_COUNT - 0.5) / len(baskets)
    _, rules = apriori(baskets, min_support=support, min_confidence=1e-9, max_length=2)
    return {(rule.lhs[0], rule.rhs[0]): rule.support for rule in rules}


def run_mlxtend(miner: str, path: Path) -> tuple[Rules, Cost]:
    """The library on a prepared table, measured without the reading."""
    return cost_of(_mlxtend, miner, pd.read_pickle(path))


def run_efficient_apriori(path: Path) -> tuple[Rules, Cost]:
    """The library on prepared transactions, measured without the reading."""
    return cost_of(_efficient_apriori, pd.read_pickle(path))


def run_ours(warehouse: Path, models: tuple[str, ...]) -> tuple[int, Cost]:
    """Our models, measured."""
    return cost_of(ours, warehouse, models)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Path(folder)
        dbt(warehouse, *BUILD, "--select", "+product_affinities", "--vars", VARIABLES)
        with duckdb.connect(str(warehouse / "build" / "warehouse.duckdb"), read_only=True) as con:
            mine: Rules = {
                (a, b): support
                for a, b, support in con.sql(
                    "select antecedent, consequent, support from product_affinities"
                ).fetchall()
            }
        pd.to_pickle(one_hot(warehouse), warehouse / "one_hot.pkl")
        pd.to_pickle(transactions(warehouse), warehouse / "transactions.pkl")
        costs = {}
        _, costs["this project"] = in_own_process(run_ours, warehouse, TESTED)
        _, costs["this project, without tests"] = in_own_process(run_ours, warehouse, MODELS)
        different = 0
        peers = {
            "mlxtend fpgrowth": (run_mlxtend, "fpgrowth", warehouse / "one_hot.pkl"),
            "mlxtend apriori": (run_mlxtend, "apriori", warehouse / "one_hot.pkl"),
            "efficient-apriori": (run_efficient_apriori, warehouse / "transactions.pkl"),
        }
        for name, (task, *arguments) in peers.items():
            rules, cost = in_own_process(task, *arguments)
            costs[name] = cost
            if rules.keys() != mine.keys() or any(abs(rules[key] - mine[key]) > 1e-12 for key in rules):
                different += 1
                print(
                    f"{name}: {len(rules)} rules, ours {len(mine)}; {len(rules.keys() ^ mine.keys())} differ",
                    file=sys.stderr,
                )
        base = costs["this project"]
        print(f"{len(mine):,} rules of the demo's categories, equal in support: {'yes' if not different else 'NO'}")
        print(
            table(
                [
                    {
                        "who": name,
                        "CPU s": f"{cost.cpu:.1f}",
                        "wall s": f"{cost.wall:.1f}",
                        "peak MB": f"{cost.memory:.0f}",
                        "CPU ÷ ours": f"{cost.cpu / base.cpu:.1f}",
                        "memory ÷ ours": f"{cost.memory / base.memory:.1f}",
                    }
                    for name, cost in costs.items()
                ]
            )
        )
        slow = costs["mlxtend fpgrowth"].cpu < TARGET * base.cpu
        if slow:
            print(f"mlxtend's fpgrowth takes less than {TARGET} times our CPU", file=sys.stderr)
        return 1 if different or slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
