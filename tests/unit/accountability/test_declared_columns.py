"""What the account makes is what models/marts/outcomes/_account__sources.yml declares."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
import pytest
import yaml

from orchestration.accountability.schemas import DECLARED, columns_of, table_of


def declared() -> dict[str, dict[str, Any]]:
    (source,) = yaml.safe_load(DECLARED.read_text(encoding="utf-8"))["sources"]
    return {table["name"]: table for table in source["tables"]}


@pytest.mark.parametrize("name", declared())
def test_a_table_has_the_declared_columns_in_order_and_is_sorted_by_its_key(name: str) -> None:
    columns = columns_of(name)
    assert list(columns) == [column["name"] for column in declared()[name]["columns"]]
    values: dict[pa.DataType, Any] = {pa.string(): "b", pa.int64(): 2, pa.float64(): 2.0, pa.bool_(): True}
    later = {column: values.get(kind) for column, kind in columns.items()}
    earlier = {**later, **dict.fromkeys(declared()[name]["config"]["meta"]["primary_key"], "a")}
    table = table_of(name, [later, earlier])
    assert table.to_pylist() == [earlier, later]
    # The type that the candidate gives the column, from its text in the YAML.
    con = duckdb.connect()
    for column in declared()[name]["columns"]:
        ((kind,),) = con.execute(f"select typeof(cast(null as {column['data_type']}))").fetchall()
        made = con.from_arrow(pa.table({"x": pa.array([], type=columns[column["name"]])})).types[0]
        assert str(made) == kind, column["name"]


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
