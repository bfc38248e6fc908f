"""The input contract, read from the file that declares it as dbt sources (models/staging/_landing__sources.yml)."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from orchestration.settings import PROJECT_DIR

CONTRACT_FILE = PROJECT_DIR / "models" / "staging" / "_landing__sources.yml"
REQUIRED_TABLE = "order_lines"
# Columns that landing adds; the YAML documents them, but no file brings them.
LANDING_COLUMNS = ("source_file", "source_row", "landing_problem", "personal_digest")


@dataclass(frozen=True)
class Column:
    """A column that files may bring. `type`: text, number, rate, integer, date, timestamp or flag.

    `required`: a row needs a value; `required_column`: a file needs the column, whatever its rows hold.
    """

    name: str
    type: str
    required: bool = False
    personal: bool = False
    values: tuple[str, ...] = ()
    required_column: bool = False

    @property
    def is_needed(self) -> bool:
        """Whether a file without the column is refused."""
        return self.required or self.required_column


@dataclass(frozen=True)
class Table:
    """A folder of the landing zone: its key and its columns, in the order of the contract."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def kept_columns(self) -> tuple[Column, ...]:
        """What is stored: everything but personal data."""
        return tuple(c for c in self.columns if not c.personal)

    @property
    def personal_columns(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.personal)


def _column(node: dict[str, Any]) -> Column:
    meta = node["config"]["meta"]
    return Column(
        name=node["name"],
        type=meta["type"],
        required=bool(meta.get("required", False)),
        personal=bool(meta.get("personal", False)),
        values=tuple(meta.get("values", ())),
        required_column=bool(meta.get("required_column", False)),
    )


def read_contract(path: Path = CONTRACT_FILE) -> dict[str, Table]:
    """Tables by name, in the order of the file."""
    declared = yaml.safe_load(path.read_text(encoding="utf-8"))
    source = next(s for s in declared["sources"] if s["name"] == "landing")
    return {
        node["name"]: Table(
            name=node["name"],
            key=tuple(node["config"]["meta"]["key"]),
            columns=tuple(_column(c) for c in node["columns"] if c["name"] not in LANDING_COLUMNS),
        )
        for node in source["tables"]
    }


@functools.cache
def contract() -> dict[str, Table]:
    """The project's contract, read once."""
    return read_contract()
