"""No model's plan compares every row of an input that grows with every row of another one.

Belongs here: DuckDB's plans of all models, as dbt compiles them for a warehouse that is made for the first time.
Does not belong here: what the models say, and how long they take (tests/benchmarks).

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

from tests.support import project, shop
from tests.support.project import ROOT, Build

# What compares all with all, or by inequalities alone; a join by an equality is a hash join.
LOOPS = {
    "BLOCKWISE_NL_JOIN",
    "NESTED_LOOP_JOIN",
    "CROSS_PRODUCT",
    "PIECEWISE_MERGE_JOIN",
    "IE_JOIN",
    "POSITIONAL_JOIN",
}
PASSING = {"PROJECTION", "FILTER", "LIMIT", "STREAMING_LIMIT", "ORDER_BY", "TOP_N"}

# Relations that do not grow with customers, lines or products, each with what bounds it. Seeds are bounded too: people
# write them.
BOUNDED = {
    "int_as_of_dates": "the calendar: some dates a year",
    "int_fact_dates": "the calendar",
    "int_member_dates": "the calendar",
    "int_category_dates": "the calendar",
    "int_order_days": "the calendar: a row a day",
    "int_count_periods": "the calendar: years and months",
    "int_sequence_periods": "the calendar",
    "int_closed_periods": "the calendar",
    "refresh_settings": "one row",
    "treatments": "people write them",
    "int_offer_items": "at most offer_max_items (400)",
    "int_offer_level": "one row",
    "int_affinity_grid": "one row",
    "int_past_grid": "one row",
    "int_affinity_dates": "a row a level",
}
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
class Loop:
    """A join that compares all with all; the tables under each of its sides."""

    model: str
    kind: str
    condition: str
    sides: tuple[frozenset[str], frozenset[str]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("plans")
    landing = project.write_landing(folder / "landing", shop.zone())
    return project.build(landing, folder, STORE_TIMEZONE=shop.TIMEZONE)


def compiled_models(target: Path) -> dict[str, str]:
    """SQL of every model, as it was compiled for the build: nothing was kept yet."""
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    folder = target / "compiled" / "segments_in_use"
    return {
        node["name"]: (folder / node["original_file_path"]).read_text(encoding="utf-8")
        for node in models
        if node["config"]["enabled"]
    }


def seed_tables(target: Path) -> set[str]:
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    return {node["alias"] for node in manifest["nodes"].values() if node["resource_type"] == "seed"}


def connect(database: Path) -> duckdb.DuckDBPyConnection:
    """The build, with the settings under which dbt plans (profiles/profiles.yml)."""
    profile = (ROOT / "profiles" / "profiles.yml").read_text(encoding="utf-8")
    options = yaml.safe_load(profile)["segments_in_use"]["outputs"]["duckdb"]["config_options"]
    con = duckdb.connect(config={name: value for name, value in options.items()})
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


def test_no_model_compares_all_with_all_of_two_inputs_that_grow(built: Build) -> None:
    bounded = set(BOUNDED) | seed_tables(built.target)
    used: set[int] = set()
    found = []
    with connect(built.file) as con:
        for model, sql in compiled_models(built.target).items():
            for loop in loops(con, model, sql):
                if any(side <= bounded for side in loop.sides):
                    continue
                reasons = [i for i, (name, part, _) in enumerate(ALLOWED) if name == model and part in loop.condition]
                used.update(reasons)
                if not reasons:
                    found.append(loop)
    assert not found, "\n".join(
        f"{one.model}: {one.kind} on {one.condition}: {[sorted(s) for s in one.sides]}" for one in found
    )
    assert used == set(range(len(ALLOWED))), "an exception that no plan needs any more"


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
