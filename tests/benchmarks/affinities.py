"""`make benchmark-affinities`: rules of a basket, side by side with mlxtend, efficient-apriori and Spark's FPGrowth.

Equal work: every pair of items in at least min_pair_count baskets, as rules in both directions with their measures.
Equal rules and equal supports are checked before any time is printed. The libraries get baskets ready in memory, in the
shape they want, of items that are frequent enough: making that shape is told apart. Ours is counted from the facts
(basket, item) on, with the size adjustment, Fisher tests and q-values that the libraries do not have.

On the demo at the four levels of product_affinities, every route of mlxtend that can be held to pairs; one that takes
longer than what it is compared with is stopped, and told as `more than`. On a generated shop, whether the planted
complements are the top of the list. Spark's FPGrowth cannot be held to pairs, and finds all larger sets too, of which
there are too many at five baskets: it is compared, with all others, at a share of baskets that it can bear.

Needs the packages of the extra `benchmark`, and Java for Spark. Exit 1 where rules or supports differ, where a planted
complement is missing, or where the faster of mlxtend's `apriori()` and `fpgrowth()` as they are called by default takes
less than TARGET times our CPU on categories; its route of low memory is told beside. `LEVELS=category make
benchmark-affinities` is one level only.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from tests.benchmarks.measure import BUILD, Cost, OutOfTime, cost_of, cost_with_children, dbt, in_own_process, table
from tests.support import planted_shop

TARGET = 15
# mlxtend as its documentation has it called; low_memory=True is for tables that do not fit into memory.
DEFAULTS = ("mlxtend apriori()", "mlxtend fpgrowth()")
LEVELS = ("department", "category", "subcategory", "product")
MIN_PAIR_COUNT = 5
# Of all baskets: as low as Spark's FPGrowth bears on the demo's categories in about a minute.
SPARK_SHARE = 0.01
# CPU seconds of a route at most: of mlxtend, whose fastest is asked for, and of others.
LIMIT = 600
OTHERS_LIMIT = 60
# Megabytes that must be left beside what a route is known to need.
SPARE = 3000
MODELS = (
    "int_affinity_dates",
    "int_affinity_grid",
    "int_past_grid",
    "int_period_sizes",
    "int_item_counts",
    "int_grid_sizes",
    "int_grid_item_counts",
    "int_period_pairs",
    "int_past_pairs",
    "int_grid_pairs",
    "int_item_pairs",
)
TESTED = (*MODELS, "int_pair_tests", "int_grid_pair_tests", "product_affinities")

Rules = dict[tuple[str, str], float]


@dataclass(frozen=True)
class Outcome:
    """What a route did: its cost, or why there is none."""

    cost: Cost | None
    said: str = ""


# ---- ours ------------------------------------------------------------------------------------------------------------


def ours(warehouse: Path, target: Path, models: tuple[str, ...]) -> int:
    """Runs the models' own SQL on the facts; rows of the last one."""
    with duckdb.connect(str(warehouse / "build" / "warehouse.duckdb"), read_only=True) as con:
        con.execute("set threads = 2")
        con.execute("set enable_progress_bar = false")
        for model in models:
            (path,) = (target / "compiled").rglob(f"{model}.sql")
            con.execute(f"create temp table result_of_{model} as {path.read_text(encoding='utf-8')}")
            # Later models read the table just made, not the one of the build.
            con.execute(f"create temp view {model} as select * from result_of_{model}")
        return int(con.sql(f"select count(*) from result_of_{models[-1]}").fetchall()[0][0])


def run_ours(warehouse: Path, target: Path, models: tuple[str, ...]) -> tuple[int, Cost]:
    """Our models, measured."""
    return cost_of(ours, warehouse, target, models)


def variables(levels: tuple[str, ...], least: int = MIN_PAIR_COUNT) -> str:
    """dbt's --vars of a run."""
    chosen = f"affinity_levels: [{', '.join(levels)}], min_pair_count: {least}"
    return f"{{{chosen}, sequence_levels: [], offer_level: category, min_offer_items: 0, affinity_grid: day}}"


def compiled(warehouse: Path, levels: tuple[str, ...], least: int, **environment: str) -> Path:
    """The folder of the models' SQL for these levels alone, as a first build runs it, on the facts of `warehouse`."""
    target = warehouse / f"target-{'-'.join(levels)}-{least}"
    dbt(
        warehouse,
        "compile",
        "--full-refresh",
        "--select",
        *TESTED,
        "--vars",
        variables(levels, least),
        DBT_TARGET_PATH=str(target),
        **environment,
    )
    for path in (target / "compiled").rglob("*.sql"):
        # Relations are named with their database and schema; in this run they are temporary, by their bare names.
        text = path.read_text(encoding="utf-8")
        for model in TESTED:
            text = text.replace(f'"warehouse"."main"."{model}"', model)
        path.write_text(text, encoding="utf-8")
    return target


# ---- baskets in the libraries' shapes --------------------------------------------------------------------------------


def baskets(warehouse: Path, level: str, least: int) -> pd.DataFrame:
    """(basket, item) of items in at least `least` baskets; a basket without one has a row without an item."""
    with duckdb.connect(str(warehouse / "build" / "warehouse.duckdb"), read_only=True) as con:
        return con.sql(
            f"""with units as (
                select facts.basket_number, items.item
                from int_basket_item_numbers as facts
                inner join int_as_of_dates as dates on dates.is_current and facts.bought_on < dates.as_of
                inner join int_affinity_items as items on facts.item_key = items.item_key
                where facts.item_level = '{level}'
                qualify count(*) over (partition by facts.item_key) >= {least}
            )
            select numbers.basket_number, units.item
            from int_basket_numbers as numbers
            inner join int_as_of_dates as dates on dates.is_current and numbers.basket_on < dates.as_of
            left join units on numbers.basket_number = units.basket_number
            order by numbers.basket_number, units.item"""
        ).df()


def one_hot(rows: pd.DataFrame) -> pd.DataFrame:
    """Baskets x items, true where bought."""
    numbers, _ = pd.factorize(rows["basket_number"])
    items = pd.Categorical(rows["item"])
    bought = np.zeros((numbers.max() + 1, len(items.categories)), dtype=bool)
    known = items.codes >= 0
    bought[numbers[known], items.codes[known]] = True
    return pd.DataFrame(bought, columns=items.categories)


def transactions(rows: pd.DataFrame) -> list[tuple[str, ...]]:
    """One tuple of items a basket."""
    return [tuple(items.dropna()) for _, items in rows.groupby("basket_number")["item"]]


# ---- the libraries ---------------------------------------------------------------------------------------------------


def _mlxtend(miner: str, options: dict[str, Any], least: int, bought: pd.DataFrame) -> Rules:
    from mlxtend import frequent_patterns

    # A little below the count, so that rounding cannot lose a pair that is just frequent enough.
    support = (least - 0.5) / len(bought)
    found = getattr(frequent_patterns, miner)(bought, min_support=support, max_len=2, use_colnames=True, **options)
    rules = frequent_patterns.association_rules(
        found, num_itemsets=len(bought), metric="support", min_threshold=support
    )
    pairs = zip(rules["antecedents"].map(min), rules["consequents"].map(min), strict=True)
    return dict(zip(pairs, rules["support"], strict=True))


def run_mlxtend(miner: str, options: dict[str, Any], least: int, is_sparse: bool, path: Path) -> tuple[Rules, Cost]:
    """The library on a prepared table, measured without the reading."""
    bought = pd.read_pickle(path)
    if is_sparse:
        bought = bought.astype(pd.SparseDtype(bool, False))
    return cost_of(_mlxtend, miner, options, least, bought)


def encode(path: Path) -> pd.DataFrame:
    """mlxtend's own way from lists of items to its table."""
    from mlxtend.preprocessing import TransactionEncoder

    lists = pd.read_pickle(path)
    encoder = TransactionEncoder()
    return pd.DataFrame(encoder.fit(lists).transform(lists), columns=encoder.columns_)


def run_encoding(path: Path) -> Cost:
    """The encoding alone, measured with the reading of the lists."""
    return cost_of(encode, path)[1]


def _efficient_apriori(least: int, lists: list[tuple[str, ...]]) -> Rules:
    from efficient_apriori import apriori

    support = (least - 0.5) / len(lists)
    _, rules = apriori(lists, min_support=support, min_confidence=1e-9, max_length=2)
    return {(rule.lhs[0], rule.rhs[0]): rule.support for rule in rules}


def run_efficient_apriori(least: int, path: Path) -> tuple[Rules, Cost]:
    """The library on prepared transactions, measured without the reading."""
    return cost_of(_efficient_apriori, least, pd.read_pickle(path))


def run_spark(least: int, path: Path) -> tuple[Rules, Cost]:
    """FPGrowth on a DataFrame in Spark's memory: this process and its Java machine, after a first small job."""
    from pyspark.ml.fpm import FPGrowth
    from pyspark.sql import SparkSession

    lists = pd.read_pickle(path)
    session = (
        SparkSession.builder.master("local[2]")
        .appName("benchmark")
        .config("spark.driver.memory", "4g")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "4")
        .getOrCreate()
    )
    try:
        session.sparkContext.setLogLevel("ERROR")
        frame = (
            session.createDataFrame([(list(items),) for items in lists], "items array<string>").repartition(4).cache()
        )
        frame.count()

        def mine() -> Rules:
            model = FPGrowth(itemsCol="items", minSupport=(least - 0.5) / len(lists), minConfidence=0.0).fit(frame)
            rules = model.associationRules.where("size(antecedent) = 1")
            return {(row.antecedent[0], row.consequent[0]): row.support for row in rules.collect()}

        return cost_with_children(mine)
    finally:
        session.stop()


# ---- comparing -------------------------------------------------------------------------------------------------------


def our_rules(warehouse: Path, level: str, least: int) -> Rules:
    """Our rules of the build, from `least` joint baskets on."""
    with duckdb.connect(str(warehouse / "build" / "warehouse.duckdb"), read_only=True) as con:
        rows = con.execute(
            """select antecedent, consequent, support from product_affinities
            where item_level = ? and "window" = 'basket' and n_both >= ?""",
            [level, least],
        ).fetchall()
    return {(a, b): support for a, b, support in rows}


def compared(mine: Rules, task: Callable[..., Any], *arguments: Any, cpu_limit: float | None = None) -> Outcome:
    """A route in a process of its own, and whether its rules and supports are ours."""
    try:
        rules, cost = in_own_process(task, *arguments, cpu_limit=cpu_limit)
    except OutOfTime:
        return Outcome(None, f"more than {cpu_limit:.0f} CPU s: stopped")
    except MemoryError:
        return Outcome(None, "out of memory")
    if rules.keys() != mine.keys() or any(abs(rules[key] - mine[key]) > 1e-12 for key in rules):
        return Outcome(
            cost, f"DIFFERS: {len(rules)} rules, ours {len(mine)}, {len(rules.keys() ^ mine.keys())} in one only"
        )
    return Outcome(cost)


def _available() -> float:
    """Megabytes that can still be had."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) / 1024


def at_level(
    warehouse: Path, level: str, least: int = MIN_PAIR_COUNT, with_spark: bool = False, **environment: str
) -> dict[str, Outcome]:
    """Every route at one level: name to outcome, ours first."""
    _, cost = in_own_process(run_ours, warehouse, compiled(warehouse, (level,), least, **environment), TESTED)
    outcomes = {"this project": Outcome(cost)}
    mine = our_rules(warehouse, level, least)
    rows = baskets(warehouse, level, least)
    table_path, lists_path = warehouse / "one_hot.pkl", warehouse / "transactions.pkl"
    frame = one_hot(rows)
    n, items = frame.shape
    pd.to_pickle(frame, table_path)
    pd.to_pickle(transactions(rows), lists_path)
    del frame, rows
    print(f"{level}: {n:,} baskets, {items:,} items in at least {least} of them, {len(mine):,} rules", flush=True)
    low = ("apriori", {"low_memory": True}, least, False, table_path)
    outcomes["mlxtend apriori(low_memory=True)"] = compared(mine, run_mlxtend, *low, cpu_limit=LIMIT)
    best = outcomes["mlxtend apriori(low_memory=True)"].cost
    # A route that takes longer than the best one, start-up and reading aside, has lost.
    limit = LIMIT if best is None else max(30, min(LIMIT, 1.1 * best.cpu + 10))
    # All pairs of items at once, one byte a basket, with copies.
    needed = n * items * (items - 1) / 2 * 3 / 2**20
    if needed + SPARE < _available():
        outcomes["mlxtend apriori()"] = compared(
            mine, run_mlxtend, "apriori", {}, least, False, table_path, cpu_limit=LIMIT
        )
    else:
        outcomes["mlxtend apriori()"] = Outcome(None, f"needs about {needed / 1024:,.0f} GB: not run")
    is_small = items <= 400
    outcomes["mlxtend fpgrowth()"] = compared(
        mine, run_mlxtend, "fpgrowth", {}, least, False, table_path, cpu_limit=LIMIT if is_small else limit
    )
    if is_small:
        outcomes["mlxtend apriori(low_memory=True), sparse"] = compared(
            mine, run_mlxtend, "apriori", {"low_memory": True}, least, True, table_path, cpu_limit=LIMIT
        )
    outcomes["efficient-apriori"] = compared(
        mine, run_efficient_apriori, least, lists_path, cpu_limit=min(limit, OTHERS_LIMIT)
    )
    if with_spark:
        if shutil.which("java") or os.environ.get("JAVA_HOME"):
            outcomes["Spark FPGrowth, all lengths"] = compared(mine, run_spark, least, lists_path)
        else:
            outcomes["Spark FPGrowth, all lengths"] = Outcome(
                None, "not run: there is no Java here (install a runtime, 17 or later)"
            )
    outcomes["(mlxtend's TransactionEncoder)"] = Outcome(in_own_process(run_encoding, lists_path))
    return outcomes


def printed(outcomes: dict[str, Outcome]) -> None:
    """The outcomes as a table, with ratios to ours."""
    base = outcomes["this project"].cost
    assert base is not None
    rows = []
    for name, outcome in outcomes.items():
        row = {
            "who": name,
            "CPU s": "",
            "wall s": "",
            "peak MB": "",
            "CPU ÷ ours": "",
            "memory ÷ ours": "",
            "": outcome.said,
        }
        if cost := outcome.cost:
            row |= {
                "CPU s": f"{cost.cpu:.2f}",
                "wall s": f"{cost.wall:.2f}",
                "peak MB": f"{cost.memory:.0f}",
                "CPU ÷ ours": f"{cost.cpu / base.cpu:.1f}",
                "memory ÷ ours": f"{cost.memory / base.memory:.1f}",
            }
        rows.append(row)
    print(table(rows) + "\n", flush=True)


def fastest(outcomes: dict[str, Outcome], routes: tuple[str, ...] = ()) -> Cost | None:
    """The least CPU of mlxtend's routes that ended: of `routes`, or of all."""
    names = [name for name in outcomes if (name in routes if routes else name.startswith("mlxtend"))]
    costs = [cost for name in names if (cost := outcomes[name].cost)]
    return min(costs, key=lambda cost: cost.cpu, default=None)


def on_the_demo(warehouse: Path, levels: tuple[str, ...]) -> list[str]:
    """The levels of the demo, and Spark at its share; returns what is wrong."""
    dbt(warehouse, *BUILD, "--select", "+product_affinities", "--vars", variables(levels))
    wrong: list[str] = []
    totals = {"ours": 0.0, "mlxtend": 0.0}
    for level in levels:
        outcomes = at_level(warehouse, level)
        printed(outcomes)
        wrong += [f"{level}: {name} {o.said}" for name, o in outcomes.items() if o.said.startswith("DIFFERS")]
        ours_cost, peer = outcomes["this project"].cost, fastest(outcomes)
        if ours_cost and peer:
            totals["ours"] += ours_cost.cpu
            totals["mlxtend"] += peer.cpu
            print(f"{level}: mlxtend's fastest route takes {peer.cpu / ours_cost.cpu:.1f} times our CPU\n", flush=True)
        default = fastest(outcomes, DEFAULTS)
        if level == "category" and ours_cost and default:
            times = default.cpu / ours_cost.cpu
            print(f"category: mlxtend's faster default takes {times:.1f} times our CPU\n", flush=True)
            if times < TARGET:
                wrong.append(f"category: mlxtend takes {times:.1f} times our CPU: less than {TARGET}")
    ratio = totals["mlxtend"] / totals["ours"]
    print(
        f"{', '.join(levels)} together: ours {totals['ours']:.1f} CPU s, mlxtend's fastest route of each level "
        f"{totals['mlxtend']:.1f}: {ratio:.1f} times ours\n",
        flush=True,
    )
    if "category" in levels:
        with duckdb.connect(str(warehouse / "build" / "warehouse.duckdb"), read_only=True) as con:
            n = con.sql("select max(n_baskets) from product_affinities").fetchall()[0][0]
        outcomes = at_level(warehouse, "category", int(SPARK_SHARE * n), with_spark=True)
        printed(outcomes)
        wrong += [
            f"at {SPARK_SHARE:.0%}: {name} {o.said}" for name, o in outcomes.items() if o.said.startswith("DIFFERS")
        ]
    return wrong


def on_planted_data(warehouse: Path) -> list[str]:
    """A generated shop: all routes, and whether what was planted is found; returns what is wrong."""
    shop = planted_shop.many_pairs()
    landing_dir = warehouse / "landing"
    for name, rows in planted_shop.landing(shop).items():
        (landing_dir / name).mkdir(parents=True)
        pd.DataFrame(rows).to_csv(landing_dir / name / "rows.csv", index=False)
    environment = {"LANDING_DIR": str(landing_dir)}
    dbt(warehouse, *BUILD, "--select", "+product_affinities", "--vars", variables(("category",)), **environment)
    print(f"A generated shop with {len(shop.together)} planted complements.")
    outcomes = at_level(warehouse, "category", **environment)
    printed(outcomes)
    wrong = [f"planted: {name} {o.said}" for name, o in outcomes.items() if o.said.startswith("DIFFERS")]
    with duckdb.connect(str(warehouse / "build" / "warehouse.duckdb"), read_only=True) as con:
        for measure in ("size_adjusted_lift", "lift", "confidence", "zhangs_metric"):
            top = con.sql(
                f"""select antecedent, consequent from product_affinities
                where "window" = 'basket' and item_level = 'category'
                qualify row_number() over (
                    partition by least(antecedent, consequent), greatest(antecedent, consequent)
                    order by confidence desc, antecedent
                ) = 1
                order by {measure} desc limit {len(shop.together)}"""
            ).fetchall()
            found = len(set(top) & set(shop.together))
            print(f"of the first {len(top)} pairs by {measure}, {found} are planted complements in their direction")
            if measure == "size_adjusted_lift" and found < len(shop.together):
                wrong.append(
                    f"planted: {len(shop.together) - found} complements are not at the top, or not in their direction"
                )
    return wrong


def main() -> int:
    levels = tuple(os.environ["LEVELS"].split(",")) if os.environ.get("LEVELS") else LEVELS
    wrong: list[str] = []
    for part in (lambda folder: on_the_demo(folder, levels), on_planted_data):
        with tempfile.TemporaryDirectory() as folder:
            wrong += part(Path(folder))
    print(
        "\n".join(wrong) or "Every route that ended has the same rules and supports as ours.",
        file=sys.stderr if wrong else sys.stdout,
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
