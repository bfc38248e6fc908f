"""What is published and in what shape, from dbt's manifest: columns, keys and checks of each table.

Belongs here: reading the manifest's descriptions of published tables, and writing them as DDL.
Does not belong here: running anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestration.storage.sql import literal, quoted

ACCOUNT_SOURCE = "account"
MARTS_FOLDER = "models/marts/"
# How descriptions name the unit of money; where the currency is known, comments name it in place of these words.
MONEY = re.compile(r"\b(?:the )?(?:currency of the order lines|reporting currency)\b", re.IGNORECASE)


class ShapeError(ValueError):
    """A table does not have the shape that its YAML promises; the text names table and columns."""


@dataclass(frozen=True)
class PublishedTable:
    """A table as its YAML describes it.

    `columns` maps a name to its declared type, in the order of the YAML. `is_closed`: there may be
    no others; else `other_columns` says what they are. `is_account`: made after the models, in Python.
    `is_key_indexed`: the file itself enforces the key, however many rows there are.
    """

    name: str
    columns: dict[str, str]
    primary_key: tuple[str, ...] = ()
    is_key_indexed: bool = True
    not_null: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    is_closed: bool = True
    is_account: bool = False
    descriptions: dict[str, str] = field(default_factory=dict)
    description: str = ""
    other_columns: str = ""


def published_tables(manifest: Mapping[str, Any]) -> dict[str, PublishedTable]:
    """Every table that is published, by name: dbt models in models/marts unless their meta says `published: false`,
    and the tables of the source `account`.

    Raises:
        ShapeError: two tables share a name, or one has no primary key.
    """
    models = [
        _from_model(node)
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        and str(node["original_file_path"]).replace("\\", "/").startswith(MARTS_FOLDER)
        and _meta(node).get("published", True)
    ]
    accounts = [
        _from_source(node)
        for node in manifest["sources"].values()
        if node["source_name"] == ACCOUNT_SOURCE and _meta(node).get("published", True)
    ]
    tables: dict[str, PublishedTable] = {}
    for table in sorted([*models, *accounts], key=lambda t: t.name):
        if table.name in tables:
            raise ShapeError(f"{table.name}: two published tables of this name")
        if not table.primary_key:
            raise ShapeError(f"{table.name}: no primary key in its YAML, so its rows have no order and no identity")
        tables[table.name] = table
    return tables


def create_statement(table: PublishedTable, found: Mapping[str, str], is_key_indexed: bool | None = None) -> str:
    """`create table` for a table whose rows come with the columns `found` (name -> DuckDB type).

    Declared types win; columns that are not declared keep theirs, behind the declared ones.

    Args:
        is_key_indexed: whether the file enforces the key; by default as the YAML says.

    Raises:
        ShapeError: a declared column is not there, or a closed table has more columns than declared.
    """
    names = column_order(table, found)
    lines = []
    for name in names:
        kind = table.columns.get(name) or found[name]
        required = name in table.not_null or name in table.primary_key
        lines.append(f"{quoted(name)} {kind}{' not null' if required else ''}")
    if table.is_key_indexed if is_key_indexed is None else is_key_indexed:
        lines.append(f"primary key ({', '.join(quoted(c) for c in table.primary_key)})")
    lines += [f"check ({check})" for check in table.checks]
    return f"create table {quoted(table.name)} (\n    " + ",\n    ".join(lines) + "\n)"


def comment_statements(
    table: PublishedTable, columns: Sequence[str], target: str, currency: str | None = None
) -> list[str]:
    """`comment on` statements that give a table and each of its columns the words of its YAML, and the table its key.

    Args:
        columns: the columns that the table has.
        target: the table's name as SQL.
        currency: of all money, where it is known.
    """
    key = f"Key: {', '.join(table.primary_key)}."
    said = [("table", target, f"{table.description.strip()} {key}")]
    for name in columns:
        words = table.descriptions.get(name) or table.other_columns
        said.append(("column", f"{target}.{quoted(name)}", words))
    return [
        f"comment on {what} {name} is {literal(in_currency(words, currency))}" for what, name, words in said if words
    ]


def in_currency(words: str, currency: str | None) -> str:
    """A description in one line, with the currency by its name where it is known."""
    words = " ".join(words.split())
    return MONEY.sub(currency, words) if currency else words


def column_order(table: PublishedTable, found: Mapping[str, str]) -> list[str]:
    """The columns of the published table: as declared, then the others as found.

    Raises:
        ShapeError: see `create_statement`.
    """
    missing = [c for c in table.columns if c not in found]
    extra = [c for c in found if c not in table.columns]
    if missing:
        raise ShapeError(f"{table.name}: without its column {', '.join(missing)}")
    if extra and table.is_closed:
        raise ShapeError(f"{table.name}: column {', '.join(extra)} is not in its YAML")
    return [*table.columns, *extra]


def _from_model(node: Mapping[str, Any]) -> PublishedTable:
    columns = node["columns"]
    key: Sequence[str] = _meta(node).get("primary_key", ())
    checks: list[str] = list(_meta(node).get("checks", ()))
    not_null = []
    for constraint in node.get("constraints") or ():
        if constraint["type"] == "primary_key":
            key = constraint.get("columns") or ()
        elif constraint["type"] == "check" and constraint.get("expression"):
            checks.append(constraint["expression"])
    for name, column in columns.items():
        for constraint in column.get("constraints") or ():
            if constraint["type"] == "not_null":
                not_null.append(name)
            elif constraint["type"] == "primary_key":
                key = [name]
            elif constraint["type"] == "check" and constraint.get("expression"):
                checks.append(constraint["expression"])
    contract = (node.get("config") or {}).get("contract") or {}
    return PublishedTable(
        name=node.get("alias") or node["name"],
        columns={name: column.get("data_type") or "" for name, column in columns.items()},
        primary_key=tuple(_bare(c) for c in key),
        is_key_indexed=bool(_meta(node).get("primary_key_index", True)),
        not_null=tuple(not_null),
        checks=tuple(checks),
        is_closed=bool(contract.get("enforced")),
        descriptions={name: column.get("description") or "" for name, column in columns.items()},
        description=node.get("description") or "",
        other_columns=str(_meta(node).get("other_columns", "")),
    )


def _from_source(node: Mapping[str, Any]) -> PublishedTable:
    columns = node["columns"]
    meta = _meta(node)
    return PublishedTable(
        name=node["name"],
        columns={name: column.get("data_type") or "" for name, column in columns.items()},
        primary_key=tuple(_bare(c) for c in meta.get("primary_key", ())),
        checks=tuple(meta.get("checks", ())),
        is_account=True,
        descriptions={name: column.get("description") or "" for name, column in columns.items()},
        description=node.get("description") or "",
    )


def _meta(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return (node.get("config") or {}).get("meta") or node.get("meta") or {}


def _bare(name: str) -> str:
    return name.strip('"')
