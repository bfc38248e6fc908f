"""Spark's plans of what a refresh has built, out of the event log that Spark writes beside its work.

Belongs here: reading the log, finding joins that compare all with all. Does not belong here: which of them may stay.

Nothing is planned again for it: the log holds the plan of every statement that ran.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.plans import Loop

# What compares all with all; a join by an equality is a hash join or a merge.
LOOPS = {"BroadcastNestedLoopJoin", "CartesianProduct"}
_WRITES = re.compile(r"Execute InsertIntoHadoopFsRelationCommand file:(\S+?),")
_SCAN = re.compile(r"FileScan parquet (?:spark_catalog\.)?(?:\S+?\.)?([^.\[\s]+)\[")
_FILES = re.compile(r"Location: [^\[]*\[file:([^\],\s]+)")
_ONE_ROW = re.compile(r"Aggregate\(keys?=\[\], ")
_PLAN_ID = re.compile(r"\[plan_id=(\d+)\]")
_KEEPS_LEFT = re.compile(r"\b(LeftSemi|LeftAnti|ExistenceJoin)\b")

Node = Mapping[str, Any]


def event_log(folder: Path) -> dict[str, str]:
    """Settings under which a server writes the log into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": folder.as_uri(),
        "spark.eventLog.compress": "false",
        # Plans are read as trees; their text would be the largest part of the log.
        "spark.sql.maxPlanStringLength": "1000",
    }


def written_plans(folder: Path) -> Iterator[tuple[str, Node]]:
    """Name of the table that a statement wrote into, and its plan, in the order of the log."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if "SparkListenerSQLExecutionStart" not in line:
                    continue
                plan = json.loads(line)["sparkPlanInfo"]
                written = _WRITES.match(plan["simpleString"])
                if written:
                    yield Path(written[1]).name, plan


def loops(table: str, plan: Node) -> Iterator[Loop]:
    """The joins of a plan that compare all with all."""
    exchanges: dict[str, Node] = {}
    for node in _nodes(plan):
        found = _PLAN_ID.search(node["simpleString"])
        if found and not node["nodeName"].startswith("Reused"):
            exchanges[found[1]] = node

    def tables(node: Node) -> frozenset[str]:
        """Tables under a node; none where it is one row, or written in the query."""
        name, text, children = node["nodeName"], node["simpleString"], list(node["children"])
        if name.endswith("Aggregate") and _ONE_ROW.search(text):
            return frozenset()
        if name == "ReusedExchange":
            found = _PLAN_ID.search(text)
            assert found and found[1] in exchanges, f"{table}: {text}"
            return tables(exchanges[found[1]])
        scanned = _SCAN.match(text)
        if scanned:
            return frozenset({scanned[1]})
        if "OneRowRelation" in text:
            return frozenset()
        if name.startswith("Scan"):
            # By its folder: what has landed, or a table without a name in the catalogue.
            files = _FILES.search(text)
            return frozenset({Path(files[1]).name if files else text[:80]})
        # Rows of one side, each once at most.
        kept = children[:1] if name.endswith("Join") and _KEEPS_LEFT.search(text) else children
        return frozenset().union(*(tables(child) for child in kept))

    for node in _nodes(plan):
        if node["nodeName"] in LOOPS:
            left, right = node["children"][:2]
            yield Loop(table, node["nodeName"], node["simpleString"], (tables(left), tables(right)))


def _nodes(plan: Node) -> Iterator[Node]:
    yield plan
    for child in plan["children"]:
        yield from _nodes(child)


def growing_loops(folder: Path, bounded: set[str], seeds: Iterable[str] = ()) -> list[Loop]:
    """Those of the whole log of which both sides grow, each once."""
    known = bounded | set(seeds)
    found = (loop for table, plan in written_plans(folder) for loop in loops(table, plan) if loop.grows_twice(known))
    return list({(one.model, one.kind, one.sides): one for one in found}.values())
