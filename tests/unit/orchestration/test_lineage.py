"""Column-level lineage: what a query's columns come from, what is kept, and how Dagster is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey, TableColumn, TableColumnDep, TableSchema

from orchestration.defs.translator import column_deps, with_origins
from orchestration.settings import read_settings
from orchestration.warehouse import lineage
from orchestration.warehouse.lineage import origins, read_columns

LINES = ("model.lines", ["customer_id", "amount", "product_id"])
PRODUCTS = ("seed.products", ["product_id", "name"])
SQL = """
with bought as (
    select lines.customer_id, products.name, sum(lines.amount) as spend, count(*) as n_lines
    from "warehouse"."main"."lines" as lines
    left join "warehouse"."main"."products" as products on lines.product_id = products.product_id
    group by 1, 2
),

everything as (select * from bought)

select customer_id, upper(name) as name, spend / n_lines as mean, n_lines, 'x' as scheme
from everything
union all
select customer_id, null, amount, 1, 'y' from "warehouse"."main"."lines"
"""


@pytest.mark.parametrize(("dialect", "quote"), [("duckdb", '"'), ("spark", "`")])
def test_columns_are_followed_through_joins_stars_and_unions(dialect: str, quote: str) -> None:
    found = read_columns(SQL.replace('"', quote), dialect, {"lines": LINES, "products": PRODUCTS})
    assert found == {
        "customer_id": [("model.lines", "customer_id")],
        "name": [("seed.products", "name")],
        "mean": [("model.lines", "amount")],
        "n_lines": [],
        "scheme": [],
    }


def test_a_table_of_files_is_the_source_of_its_name() -> None:
    files = "'/x/landed/customers/*.parquet' as landed cross join '/x/state/told.parquet' as kept"
    sql = f"select landed.a, kept.b from {files}"
    parents = {"customers": ("source.customers", ["a"]), "told": ("source.told", ["b"])}
    assert read_columns(sql, "duckdb", parents) == {"a": [("source.customers", "a")], "b": [("source.told", "b")]}


def test_a_model_that_reads_itself_is_no_origin_of_itself() -> None:
    sql = 'select lines.amount from lines union all select own.amount from "warehouse"."main"."own" as own'
    assert read_columns(sql, "duckdb", {"lines": LINES}) == {"amount": [("model.lines", "amount")]}


def model(name: str, parents: list[str]) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "package_name": "p",
        "name": name,
        "original_file_path": f"models/marts/{name}.sql",
        "depends_on": {"nodes": parents},
    }


MANIFEST = {
    "nodes": {
        "model.lines": model("lines", ["source.order_lines"]),
        "model.sums": model("sums", ["model.lines"]),
        "model.never_built": model("never_built", ["model.sums"]),
    },
    "sources": {
        "source.order_lines": {"resource_type": "source", "name": "order_lines", "source_name": "landed", "columns": {}}
    },
}


def compiled(warehouse: Path, name: str, sql: str) -> None:
    file = warehouse / "build" / "target" / "marts" / "compiled" / "p" / "models" / "marts" / f"{name}.sql"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(sql)


def test_what_is_kept_is_read_again_where_sql_or_parents_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = dataclasses.replace(read_settings({}), warehouse_dir=tmp_path)
    read: list[str] = []
    real = lineage.read_columns
    monkeypatch.setattr(lineage, "read_columns", lambda sql, *rest: read.append(sql) or real(sql, *rest))
    assert origins(settings, MANIFEST) == {} and not list(tmp_path.iterdir())

    compiled(tmp_path, "lines", "select amount from '/l/order_lines/*.parquet'")
    compiled(tmp_path, "sums", "select * from lines")
    assert origins(settings, MANIFEST, reads=False) == {} and read == []
    first = origins(settings, MANIFEST)
    assert first == {
        "model.lines": {"amount": [("source.order_lines", "amount")]},
        "model.sums": {"amount": [("model.lines", "amount")]},
    }
    assert len(read) == 2
    assert origins(settings, MANIFEST) == first == origins(settings, MANIFEST, reads=False) and len(read) == 2

    compiled(tmp_path, "lines", "select amount, paid from '/l/order_lines/*.parquet'")
    assert origins(settings, MANIFEST, reads=False) == first
    assert sorted(origins(settings, MANIFEST)["model.sums"]) == ["amount", "paid"] and len(read) == 4


def test_sql_that_cannot_be_read_keeps_nothing_from_loading(tmp_path: Path) -> None:
    settings = dataclasses.replace(read_settings({}), warehouse_dir=tmp_path)
    compiled(tmp_path, "lines", "select (")
    assert origins(settings, MANIFEST) == {"model.lines": {}}
    (tmp_path / "build" / "target" / lineage.KEPT_NAME).write_text("{")
    assert origins(settings, MANIFEST, reads=False) == {}


def test_dagster_is_told_in_metadata_and_in_the_words_of_each_column() -> None:
    deps = column_deps(MANIFEST, {"amount": [("source.order_lines", "amount")], "n": []})
    assert deps == {"amount": [TableColumnDep(AssetKey("landing"), "order_lines.amount")], "n": []}
    many = [TableColumnDep(AssetKey("lines"), f"c{i}") for i in range(8)]
    known = {
        "dagster/column_schema": TableSchema(
            [TableColumn("amount", "double", "Net.\n"), TableColumn("n", "bigint", "How many."), TableColumn("many")]
        )
    }
    told = with_origins(known, {**deps, "many": many})
    assert told["dagster/column_lineage"].deps_by_column["amount"] == deps["amount"]
    assert [(c.type, c.description) for c in told["dagster/column_schema"].columns] == [
        ("double", "Net. From landing.order_lines.amount."),
        ("bigint", "How many."),
        ("string", "From lines.c0, lines.c1, lines.c2, lines.c3, lines.c4, lines.c5 and 2 more."),
    ]
    assert with_origins(known, {}) == {}
