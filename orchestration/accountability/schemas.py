"""Columns, types and primary keys of the tables of the account, as models/marts/outcomes/_account__sources.yml declares
them."""

from __future__ import annotations

from functools import cache
from typing import Any

import pyarrow as pa
import yaml

from orchestration.settings import PROJECT_DIR

DECLARED = PROJECT_DIR / "models" / "marts" / "outcomes" / "_account__sources.yml"
ARROW_TYPES: dict[str, pa.DataType] = {
    "varchar": pa.string(),
    "double": pa.float64(),
    "bigint": pa.int64(),
    "date": pa.date32(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
    "decimal(18,4)": pa.decimal128(18, 4),
}


@cache
def _declared() -> dict[str, dict[str, Any]]:
    # The C parser where there is one: the plain one takes a second for such a file.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    (source,) = yaml.load(DECLARED.read_text(encoding="utf-8"), Loader=loader)["sources"]
    return {table["name"]: table for table in source["tables"]}


def columns_of(name: str) -> dict[str, pa.DataType]:
    """The columns of a table of the account and their types, in order.

    Raises:
        KeyError: the YAML declares no such table, or a type that has no Arrow type here.
    """
    return {column["name"]: ARROW_TYPES[column["data_type"]] for column in _declared()[name]["columns"]}


def primary_key_of(name: str) -> tuple[str, ...]:
    """The columns of a table's primary key."""
    return tuple(_declared()[name]["config"]["meta"]["primary_key"])


def table_of(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as an arrow table with the columns of `name`, sorted by its primary key.

    Raises:
        KeyError: a row lacks a column.
    """
    columns, key = columns_of(name), primary_key_of(name)
    ordered = sorted(rows, key=lambda row: tuple(row[column] for column in key))
    arrays = [pa.array([row[column] for row in ordered], type=kind) for column, kind in columns.items()]
    return pa.Table.from_arrays(arrays, schema=pa.schema(list(columns.items())))
