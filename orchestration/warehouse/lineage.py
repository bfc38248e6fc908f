"""Column-level lineage: from which columns of which tables each column of a model is computed, read from compiled SQL.

Belongs here: reading what dbt compiled in the last build, with sqlglot; keeping what was read.
Does not belong here: how Dagster shows it (defs/translator.py).

A refresh never waits for this: it takes what is kept. Whoever loads the definitions to show them reads what has changed
since (two seconds for all models, a tenth of one where none has changed), because every model's answer is kept under a
digest of what it was read from.
"""

from __future__ import annotations

import csv
import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from orchestration.settings import PROJECT_DIR, Settings
from orchestration.storage.files import write_atomically
from orchestration.warehouse.project import Manifest

# Unique id of a node of the manifest -> its column -> (unique id, column) of what it is computed from.
Origins = dict[str, dict[str, list[tuple[str, str]]]]
KEPT_NAME = "column_lineage.json"


def origins(settings: Settings, manifest: Manifest, reads: bool = True) -> Origins:
    """The lineage of all models that dbt has compiled for this warehouse; nothing before the first build. Columns that
    are computed from no other, such as counts of rows, have an empty list.

    Args:
        reads: whether to read what is not kept yet; without it only what is kept is answered.
    """
    target = settings.build_file.parent / "target"
    kept = _kept(target / KEPT_NAME)
    if reads:
        found = _read(manifest, target, settings.dbt_target, kept)
        if found != kept and target.is_dir():
            write_atomically(target / KEPT_NAME, json.dumps(found).encode())
        kept = found
    return {
        model: {column: [(node, name) for node, name in pairs] for column, pairs in said["columns"].items()}
        for model, said in kept.items()
        if model in manifest["nodes"]
    }


def _kept(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    except (OSError, ValueError):
        return {}


def _read(manifest: Manifest, target: Path, dialect: str, kept: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept, with each model read again whose SQL, or whose parents' columns, are others than then."""
    found: dict[str, Any] = {}
    columns: dict[str, list[str]] = {}
    for unique_id in _parents_first(manifest):
        node = manifest["nodes"].get(unique_id)
        if node is None or node["resource_type"] == "seed":
            columns[unique_id] = (
                _header(node) if node else list(manifest["sources"].get(unique_id, {}).get("columns", ()))
            )
            continue
        sql = _compiled(target, node)
        if sql is None:
            continue
        parents = {parent: columns.get(parent, []) for parent in sorted(node["depends_on"]["nodes"])}
        said = json.dumps([version("sqlglot"), dialect, sql, parents])
        made_from = hashlib.sha256(said.encode()).hexdigest()
        before = kept.get(unique_id)
        if before and before["made_from"] == made_from:
            found[unique_id] = before
        else:
            try:
                read = read_columns(
                    sql, dialect, {_table(manifest, parent): (parent, c) for parent, c in parents.items()}
                )
            except Exception:
                # A picture for people: SQL that sqlglot cannot read must not keep the definitions from loading.
                read = {}
            found[unique_id] = {"made_from": made_from, "columns": read}
        columns[unique_id] = list(found[unique_id]["columns"])
    return found


def _parents_first(manifest: Manifest) -> Iterator[str]:
    graph = {
        unique_id: node["depends_on"]["nodes"]
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
    }
    return iter(TopologicalSorter(graph).static_order())


def _header(seed: Mapping[str, Any]) -> list[str]:
    try:
        with (PROJECT_DIR / seed["original_file_path"]).open(encoding="utf-8-sig", newline="") as rows:
            return next(csv.reader(rows), [])
    except OSError:
        return []


def _compiled(target: Path, node: Mapping[str, Any]) -> str | None:
    """A model's SQL as the last build compiled it; its two halves compile into folders of their own."""
    inside = Path("compiled", node["package_name"], str(node["original_file_path"]).replace("\\", "/"))
    files = [file for half in sorted(target.glob("*")) if (file := half / inside).is_file()]
    return max(files, key=lambda file: file.stat().st_mtime).read_text(encoding="utf-8") if files else None


def _table(manifest: Manifest, unique_id: str) -> str:
    node = manifest["nodes"].get(unique_id) or manifest["sources"].get(unique_id) or {}
    return str(node.get("alias") or node.get("name"))


def read_columns(
    sql: str, dialect: str, parents: Mapping[str, tuple[str, Sequence[str]]]
) -> dict[str, list[tuple[str, str]]]:
    """For each column that a query selects, the columns of its parents that it is computed from.

    Args:
        sql: one query.
        dialect: sqlglot's name of its dialect: `duckdb` or `spark`.
        parents: table -> (what to call it, its columns, empty where they are not known).

    Raises:
        sqlglot.errors.SqlglotError: the query cannot be read.
    """
    from sqlglot import MappingSchema, exp, parse_one
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    # It prints whole subqueries that it takes no notice of.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    tree = parse_one(sql, dialect=dialect)
    for table in tree.find_all(exp.Table):
        # Names are unique: database and schema say nothing.
        table.set("this", exp.to_identifier(_name(table.name)))
        table.set("db", None)
        table.set("catalog", None)
    schema = MappingSchema(dialect=dialect)
    for table_name, (_, columns) in parents.items():
        if columns:
            schema.add_table(exp.to_table(table_name), {column: "unknown" for column in columns})
    qualified = qualify(
        tree,
        dialect=dialect,
        schema=schema,
        allow_partial_qualification=True,
        validate_qualify_columns=False,
        identify=False,
    )
    assert isinstance(qualified, exp.Query)
    query: exp.Query = qualified
    scope = build_scope(query)
    found = {}
    for column in query.named_selects:
        tree_of = lineage(column, query, schema=schema, dialect=dialect, scope=scope, trim_selects=False, copy=False)
        leaves = {
            (str(leaf_table.name), leaf.name.rpartition(".")[2].strip('"`').lower())
            for leaf in tree_of.walk()
            if not leaf.downstream and (leaf_table := leaf.expression.find(exp.Table))
        }
        found[column.lower()] = sorted((parents[parent][0], name) for parent, name in leaves if parent in parents)
    return found


def _name(table: str) -> str:
    """`customers` of `customers`, `/a/landed/customers/*.parquet` and `/a/state/customers.parquet`."""
    path = PurePosixPath(table)
    if len(path.parts) < 2:
        return table
    return path.parent.name if "*" in path.name else path.stem
