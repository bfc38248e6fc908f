"""Joins that compare all with all are found in Spark's plans, with the tables under each side; without a Spark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.engines.plans import growing_loops, loops, written_plans


def node(text: str, *children: dict[str, Any]) -> dict[str, Any]:
    """A node as Spark's event log holds it; its name is the first word, or two of a scan."""
    words = text.replace("FileScan", "Scan").replace("(", " (").split()
    name = " ".join(words[:2]) if words[0] == "Scan" else words[0]
    return {"nodeName": name, "simpleString": text, "children": children}


def scan(table: str) -> dict[str, Any]:
    return node(f"FileScan parquet spark_catalog.shop.{table}[x#1L,y#2L] Batched: true, Format: Parquet")


ONE_ROW = node("HashAggregate(keys=[], functions=[max(x#14L)])", scan("lines"))


def sides(plan: dict[str, Any]) -> list[tuple[set[str], set[str]]]:
    return [(set(loop.sides[0]), set(loop.sides[1])) for loop in loops("model", plan)]


def test_an_inequality_of_two_tables_is_found_wherever_it_is() -> None:
    join = node("BroadcastNestedLoopJoin BuildRight, LeftOuter, (y#8L > y#13L)", scan("lines"), scan("members"))
    assert sides(node("HashAggregate(keys=[x#1L], functions=[count(1)])", node("Project [x#1L]", join))) == [
        ({"lines"}, {"members"})
    ]
    assert sides(node("CartesianProduct (a#1 < b#2)", scan("lines"), scan("members"))) == [({"lines"}, {"members"})]
    assert sides(node("SortMergeJoin [x#1], [x#2], Inner", scan("lines"), scan("members"))) == []


def test_one_row_has_no_table_and_a_semi_join_those_of_its_left_side() -> None:
    assert sides(node("BroadcastNestedLoopJoin BuildRight, Inner", scan("lines"), ONE_ROW)) == [({"lines"}, set())]
    sort = node("SortAggregate(key=[], functions=[min(x#1L)])", scan("lines"))
    assert sides(node("CartesianProduct", scan("lines"), sort)) == [({"lines"}, set())]
    none = node("Scan OneRowRelation[]")
    assert sides(node("BroadcastNestedLoopJoin BuildRight, Cross", scan("lines"), none)) == [({"lines"}, set())]
    anti = node("BroadcastHashJoin [d#1], [d#2], LeftAnti, BuildRight, false", scan("dates"), scan("members"))
    assert sides(node("BroadcastNestedLoopJoin BuildRight, Inner", scan("lines"), anti)) == [({"lines"}, {"dates"})]


def test_an_exchange_that_is_used_again_is_what_it_was() -> None:
    exchange = node("Exchange hashpartitioning(x#1L, 1), ENSURE_REQUIREMENTS, [plan_id=7]", scan("members"))
    again = node("ReusedExchange [x#9L], Exchange hashpartitioning(x#1L, 1), ENSURE_REQUIREMENTS, [plan_id=7]")
    merge = node("SortMergeJoin [x#1L], [x#2L], Inner", exchange, scan("lines"))
    assert sides(node("BroadcastNestedLoopJoin BuildLeft, Inner", merge, again)) == [
        ({"members", "lines"}, {"members"})
    ]


def test_files_are_named_by_their_folder() -> None:
    files = node("FileScan parquet [x#1] Batched: true, Location: InMemoryFileIndex(1 paths)[file:/w/landed/products]")
    assert sides(node("CartesianProduct", files, scan("lines"))) == [({"products"}, {"lines"})]


def test_the_log_is_read_for_what_was_written_and_joins_with_a_bounded_side_are_left_out(tmp_path: Path) -> None:
    def event(table: str, plan: dict[str, Any]) -> str:
        text = f"Execute InsertIntoHadoopFsRelationCommand file:/w/spark/tables/{table}, false, Parquet, [path=x]"
        written = {"nodeName": "Execute InsertIntoHadoopFsRelationCommand", "simpleString": text, "children": [plan]}
        name = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart"
        return json.dumps({"Event": name, "executionId": 1, "sparkPlanInfo": written})

    harmful = node("BroadcastNestedLoopJoin BuildRight, Cross", scan("lines"), scan("members"))
    harmless = node("BroadcastNestedLoopJoin BuildRight, Cross", scan("lines"), scan("a_seed"))
    looked = node("BroadcastNestedLoopJoin BuildRight, Cross", scan("lines"), scan("dates"))
    folder = tmp_path / "eventlog_v2_local-1"
    folder.mkdir()
    lines = ['{"Event": "SparkListenerJobStart"}', event("a", harmful), event("b", harmless), event("c", looked)]
    lines.append(json.dumps({**json.loads(event("d", harmful)), "sparkPlanInfo": harmful}))
    (folder / "events_1_local-1").write_text("\n".join(lines) + "\n")
    assert [table for table, _ in written_plans(tmp_path)] == ["a", "b", "c"]
    [found] = growing_loops(tmp_path, {"dates"}, ["a_seed"])
    assert (found.model, found.kind) == ("a", "BroadcastNestedLoopJoin")
