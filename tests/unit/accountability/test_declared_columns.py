"""What the account makes is what models/marts/outcomes/_account__sources.yml declares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import yaml

from orchestration.accountability.schemas import PRIMARY_KEYS, SCHEMAS

SOURCES = Path(__file__).parents[3] / "models" / "marts" / "outcomes" / "_account__sources.yml"
ARROW_TYPES = {
    "varchar": pa.string(),
    "double": pa.float64(),
    "bigint": pa.int64(),
    "date": pa.date32(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
    "decimal(18,4)": pa.decimal128(18, 4),
}


def declared() -> dict[str, dict[str, Any]]:
    (source,) = yaml.safe_load(SOURCES.read_text(encoding="utf-8"))["sources"]
    return {table["name"]: table for table in source["tables"]}


@pytest.mark.parametrize("name", SCHEMAS)
def test_columns_and_types_are_the_declared_ones_in_order(name: str) -> None:
    columns = [(column["name"], ARROW_TYPES[column["data_type"]]) for column in declared()[name]["columns"]]
    assert list(SCHEMAS[name].items()) == columns


@pytest.mark.parametrize("name", SCHEMAS)
def test_primary_keys_are_the_declared_ones(name: str) -> None:
    assert list(PRIMARY_KEYS[name]) == declared()[name]["config"]["meta"]["primary_key"]


@pytest.mark.parametrize("name", declared())
def test_every_declared_check_is_a_condition_on_declared_columns(name: str) -> None:
    table = declared()[name]
    columns = ", ".join(f'"{column["name"]}" {column["data_type"]}' for column in table["columns"])
    key = ", ".join(table["config"]["meta"]["primary_key"])
    checks = ", ".join(f"check ({check})" for check in table["config"]["meta"]["checks"])
    duckdb.connect().execute(f"create table {name} ({columns}, primary key ({key}), {checks})")


@pytest.mark.parametrize("name", declared())
def test_every_column_is_described(name: str) -> None:
    assert [column["name"] for column in declared()[name]["columns"] if not column.get("description")] == []
