"""No model's plan compares every row of an input that grows with every row of another one.

Belongs here: DuckDB's plans of all models on shops of several shapes, as dbt compiles them for a warehouse that is made
for the first time, and for its second day.
Does not belong here: what the models say, and how long they take (tests/benchmarks/growth.py); Spark's plans
(tests/engines).

A planner goes by what it knows of its inputs, so the same SQL has other plans in a shop of few customers and of many.
The models' SQL is compiled once; in each shape it is run as it stands, without dbt, which would take ten times as long.

Such a plan is right on a small shop and stands still on a large one: of a left join with a condition on its left side
alone DuckDB makes a loop of every member against every other, and the tests, all of small shops, stay green.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from orchestration.landing.prepare import prepare
from orchestration.settings import Settings
from tests.support import project, shop
from tests.support.plans import BOUNDED, Loop, seed_tables, told
from tests.support.project import ROOT, Build
from tests.support.shapes import SHAPES, Shape, write_shape

# What compares all with all, or by inequalities alone; a join by an equality is a hash join.
LOOPS = {
    "BLOCKWISE_NL_JOIN",
    "NESTED_LOOP_JOIN",
    "CROSS_PRODUCT",
    "PIECEWISE_MERGE_JOIN",
    "IE_JOIN",
    "POSITIONAL_JOIN",
}
KEEPS_LEFT, KEEPS_RIGHT = ("SEMI", "ANTI", "MARK", "SINGLE"), ("RIGHT_SEMI", "RIGHT_ANTI")

# Joins of two inputs that grow, and why they may stay: model, part of the condition, reason.
ALLOWED: list[tuple[str, str, str]] = [
    ("occasion_cells", "", "every segment meets every occasion: the occasions there are by every row of segments"),
    ("int_grid_pair_tests", "", "the baskets of the grid's day by the levels of pairs, two at most, to be counted"),
    ("int_offerable_items", "item_level", "items that patterns of the seed offer_exclusions name"),
    ("int_sequence_periods", "day_on", "the calendar: days by periods"),
    ("sales_margin", "ordered_on", "the calendar: the days on which experiments close"),
    ("next_best_offers", "items_bought", "an array of at most offer_max_items (400) places a customer, place by place"),
]

Node = Mapping[str, Any]


@dataclass(frozen=True)
class Compiled:
    """The build, and SQL of every model by name: of the first day, when nothing is kept, and of the second."""

    build: Build
    first: Mapping[str, str]
    second: Mapping[str, str]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    folder = tmp_path_factory.mktemp("plans")
    landing = project.write_landing(folder / "landing", shop.zone())
    variables = {"LANDING_DIR": str(landing), "STORE_TIMEZONE": shop.TIMEZONE}
    built = project.build(landing, folder, STORE_TIMEZONE=shop.TIMEZONE)
    first = compiled_models(built.target)
    project.dbt(["compile"], built.warehouse, built.target, **variables)
    return Compiled(built, first, compiled_models(built.target))


@pytest.fixture(scope="module")
def built(compiled: Compiled) -> Build:
    return compiled.build


def nodes_in_order(target: Path) -> list[Node]:
    """Every model of the manifest, each after all that it reads."""
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    found: dict[str, Node] = {}

    def add(name: str) -> None:
        if name in nodes and name not in found:
            for parent in nodes[name].get("depends_on", {}).get("nodes", []):
                add(parent)
            if nodes[name]["resource_type"] == "model" and nodes[name]["config"]["enabled"]:
                found[name] = nodes[name]

    for name in nodes:
        add(name)
    return list(found.values())


def compiled_models(target: Path) -> dict[str, str]:
    """SQL of every model, as it was compiled last."""
    folder = target / "compiled" / "segments_in_use"
    return {
        node["name"]: (folder / node["original_file_path"]).read_text(encoding="utf-8")
        for node in nodes_in_order(target)
    }


def build_shape(compiled: Compiled, shape: Shape, folder: Path) -> Path:
    """A shop of that shape with every model built from its SQL; the database."""
    warehouse = folder / "warehouse"
    prepare(Settings(write_shape(folder / "landing", shape), warehouse, None, "UTC", "duckdb"))
    database = warehouse / "build" / "warehouse.duckdb"
    with duckdb.connect(str(database), config=options()) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(f"attach '{compiled.build.file}' as shop (read_only)")
        for seed in sorted(seed_tables(compiled.build.target)):
            con.execute(f"create table {seed} as from shop.main.{seed}")
        for node in nodes_in_order(compiled.build.target):
            kind = "view" if node["config"]["materialized"] == "view" else "table"
            sql = compiled.first[node["name"]].replace(str(compiled.build.warehouse), str(warehouse))
            con.execute(f"create {kind} {node['alias']} as {sql}")
    return database


def options() -> dict[str, Any]:
    """With what dbt opens the database."""
    profile = (ROOT / "profiles" / "profiles.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(profile)["segments_in_use"]["outputs"]["duckdb"]["config_options"])


def connect(database: Path) -> duckdb.DuckDBPyConnection:
    """The build, with the settings under which dbt plans (profiles/profiles.yml)."""
    con = duckdb.connect(config=options())
    con.execute(f"attach '{database}' as warehouse (read_only); use warehouse")
    return con


def loops(con: duckdb.DuckDBPyConnection, model: str, sql: str) -> Iterator[Loop]:
    """The joins of a query that are no hash joins."""
    [(_, text)] = con.sql(f"explain (format json) {sql}").fetchall()
    roots = json.loads(text)
    shared: dict[str, Node] = {}

    def note(node: Node) -> None:
        if node["name"].strip() == "CTE":
            shared[node["extra_info"]["Table Index"]] = node["children"][0]
        for child in node["children"]:
            note(child)

    def tables(node: Node) -> frozenset[str]:
        """Tables under a node; none where it is one row, or written in the query."""
        name, info = node["name"].strip(), node["extra_info"]
        if name == "UNGROUPED_AGGREGATE":
            return frozenset()
        if name == "CTE_SCAN" and info["CTE Index"] in shared:
            return tables(shared[info["CTE Index"]])
        if name == "CTE":
            return tables(node["children"][1])
        # Rows of one side, each once at most: the other says which.
        if info.get("Join Type") in KEEPS_LEFT:
            return tables(node["children"][0])
        if info.get("Join Type") in KEEPS_RIGHT:
            return tables(node["children"][1])
        found = {info["Table"].rsplit(".", 1)[-1]} if "Table" in info else set()
        return frozenset(found.union(*(tables(child) for child in node["children"])))

    def walk(node: Node) -> Iterator[Loop]:
        name, info = node["name"].strip(), node["extra_info"]
        if name in LOOPS:
            left, right = node["children"]
            condition = info.get("Conditions") or info.get("Condition") or ""
            yield Loop(model, name, str(condition), (tables(left), tables(right)))
        for child in node["children"]:
            yield from walk(child)

    for root in roots:
        note(root)
    for root in roots:
        yield from walk(root)


def compared(database: Path, models: Mapping[str, str], bounded: set[str]) -> Iterator[Loop]:
    """The joins of all models of which both sides grow."""
    with connect(database) as con:
        for model, sql in models.items():
            for loop in loops(con, model, sql):
                if loop.grows_twice(bounded):
                    yield loop


def excuse(loop: Loop) -> int | None:
    """The row of ALLOWED that names it."""
    for number, (model, part, _) in enumerate(ALLOWED):
        if model == loop.model and part in loop.condition:
            return number
    return None


def test_no_model_compares_all_with_all_of_two_inputs_that_grow(compiled: Compiled) -> None:
    """On the merchant's shop, whose exceptions are all needed on one of the two days."""
    bounded = set(BOUNDED) | seed_tables(compiled.build.target)
    found = [*compared(compiled.build.file, compiled.first, bounded)]
    found += compared(compiled.build.file, compiled.second, bounded)
    assert not [loop for loop in found if excuse(loop) is None], told([loop for loop in found if excuse(loop) is None])
    assert {excuse(loop) for loop in found} == set(range(len(ALLOWED))), "an exception that no plan needs any more"


@pytest.mark.parametrize("name", SHAPES)
def test_no_model_compares_all_with_all_whatever_the_shape(compiled: Compiled, name: str, tmp_path: Path) -> None:
    bounded = set(BOUNDED) | seed_tables(compiled.build.target)
    database = build_shape(compiled, SHAPES[name], tmp_path)
    models = {
        model: sql.replace(str(compiled.build.warehouse), str(tmp_path / "warehouse"))
        for model, sql in compiled.first.items()
    }
    found = [loop for loop in compared(database, models, bounded) if excuse(loop) is None]
    assert not found, told(found)


def test_a_left_join_with_a_condition_on_its_left_side_alone_would_be_found(built: Build) -> None:
    """The test of the test: the join that stood still on a shop of 50,000 customers."""
    sql = """
        select members.customer_id, ranked.category
        from int_buyer_features as members
        left join int_customer_categories as ranked
            on members.as_of = ranked.as_of and members.customer_id = ranked.customer_id and members.frequency >= 5
    """
    with connect(built.file) as con:
        [loop] = loops(con, "planted", sql)
        mended = list(loops(con, "mended", sql.replace("and members.frequency >= 5", "")))
    assert loop.kind == "BLOCKWISE_NL_JOIN"
    assert set(loop.sides) == {frozenset({"int_buyer_features"}), frozenset({"int_customer_categories"})}
    assert mended == []


def test_a_model_that_joins_by_an_inequality_would_be_found_in_any_shape(compiled: Compiled) -> None:
    """The test of the test: no equality at all, behind a filter and an aggregate on either side."""
    sql = """
        select members.customer_id, count(*) as n
        from (select customer_id, max(monetary) as monetary from int_buyer_features group by customer_id) as members
        left join (select customer_id, spend from int_customer_categories where spend > 0) as categories
            on members.monetary > categories.spend
        group by members.customer_id
    """
    bounded = set(BOUNDED) | seed_tables(compiled.build.target)
    [loop] = compared(compiled.build.file, {"planted": sql}, bounded)
    assert set(loop.sides) == {frozenset({"int_buyer_features"}), frozenset({"int_customer_categories"})}
    assert excuse(loop) is None
    # One row on a side is no input that grows, and neither are the rows of an anti join beyond those that it keeps.
    harmless = """
        select members.customer_id from int_buyer_features as members
        inner join (
            select as_of from int_as_of_dates as dates
            where not exists (select 1 from int_customer_categories as kept where kept.as_of = dates.as_of)
        ) as dates on members.as_of > dates.as_of
    """
    assert list(compared(compiled.build.file, {"planted": harmless}, bounded)) == []
