"""What goes in and what comes out as Open Data Contract Standard files, made from dbt's YAML, the one source.

Belongs here: `landing.odcs.yaml` and `published.odcs.yaml`, beside the manifest of every published version;
`python -m orchestration contracts [folder]` writes them without a refresh.
Does not belong here: what they promise (models/staging/_landing__sources.yml, the YAML of the marts).

Source: Open Data Contract Standard 3.1 (https://bitol-io.github.io/open-data-contract-standard).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from orchestration.landing.contract import LANDING_COLUMNS, REQUIRED_TABLE
from orchestration.publication.ddl import PublishedTable, in_currency, published_tables

LANDING_FILE, PUBLISHED_FILE = "landing.odcs.yaml", "published.odcs.yaml"
API_VERSION = "v3.1.0"
# Beginnings of DuckDB's types, and of the landing contract's, in the standard's words.
LOGICAL_TYPES = {
    "varchar": "string",
    "text": "string",
    "bigint": "integer",
    "integer": "integer",
    "double": "number",
    "decimal": "number",
    "number": "number",
    "rate": "number",
    "date": "date",
    "timestamp": "timestamp",
    "boolean": "boolean",
    "flag": "boolean",
}

# The one in C where it is there, which takes a tenth of the time.
DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

Contract = dict[str, Any]


class ContractError(ValueError):
    """A column has a type that the standard has no word for; the text names it."""


def landing_contract(manifest: Mapping[str, Any]) -> Contract:
    """What an export must look like: every table of the landing zone, from the source `landing`."""
    tables = [node for node in manifest["sources"].values() if node["source_name"] == "landing"]
    return {
        **_head("landing", manifest),
        "description": {
            "purpose": "What the warehouse reads: one folder a table, any number of CSV or Parquet files in each.",
            "usage": f"Only {REQUIRED_TABLE} must be there. A column that is not required may be missing or empty; "
            "extra columns are left out, with a warning.",
            "limitations": "Personal data are never stored; ids must mean nothing to outsiders.",
        },
        "servers": [
            {"server": kind, "type": "local", "path": f"{{model}}/*.{kind}", "format": kind}
            for kind in ("parquet", "csv")
        ],
        "schema": [_landing_table(node) for node in tables],
    }


def published_contract(manifest: Mapping[str, Any], currency: str | None = None) -> Contract:
    """What readers can rely on: every published table, from the YAML of the marts and the source `account`.

    Args:
        currency: of all money, where it is known.
    """
    declared = {**_accepted(manifest["nodes"]), **_accepted(manifest["sources"])}
    tables = published_tables(manifest)
    return {
        **_head("published", manifest),
        "description": {
            "purpose": "Customer segments, cross-sell affinities and treatments, held to account.",
            "usage": "Read segments.duckdb or parquet/<table>.parquet in place; a version never changes, a refresh "
            "switches to the next one at once.",
            "limitations": "No personal data. A table without rows is there all the same.",
        },
        "servers": [
            {"server": "parquet", "type": "local", "path": "parquet/{model}.parquet", "format": "parquet"},
            {"server": "duckdb", "type": "duckdb", "database": "segments.duckdb", "schema": "main"},
        ],
        "schema": [_published_table(table, declared.get(table.name, {}), currency) for table in tables.values()],
    }


def write_contracts(manifest: Mapping[str, Any], folder: Path, currency: str | None = None) -> list[Path]:
    """Write both into a folder, which is there; returns the files."""
    written = []
    for name, contract in (
        (LANDING_FILE, landing_contract(manifest)),
        (PUBLISHED_FILE, published_contract(manifest, currency)),
    ):
        path = folder / name
        text = yaml.dump(contract, Dumper=DUMPER, sort_keys=False, allow_unicode=True, width=120)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _head(name: str, manifest: Mapping[str, Any]) -> Contract:
    project = manifest["metadata"]["project_name"]
    return {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": f"{project}-{name}",
        "name": f"{project}: {name}",
        # Columns are added, never renamed or retyped; what would break a reader is the next number.
        "version": "1.0.0",
        "status": "active",
    }


def _landing_table(node: Mapping[str, Any]) -> dict[str, Any]:
    key: Sequence[str] = node["config"]["meta"]["key"]
    properties = []
    for name, column in node["columns"].items():
        if name in LANDING_COLUMNS:
            continue
        meta = column["config"]["meta"]
        required = bool(meta.get("required", False))
        properties.append(
            {
                **_property(name, meta["type"], column["description"], required),
                # A key without which a row can still be one (a line number) is no primary key in the standard's sense.
                **(_key(key, name) if required else {}),
                **({"classification": "personal"} if meta.get("personal") else {}),
                **_values([str(value) for value in meta.get("values", ())]),
            }
        )
    return {**_table(node["name"], node["description"]), "properties": properties}


def _published_table(
    table: PublishedTable, accepted: Mapping[str, Sequence[str]], currency: str | None
) -> dict[str, Any]:
    properties = []
    for name, kind in table.columns.items():
        required = name in table.not_null or name in table.primary_key
        properties.append(
            {
                **_property(name, kind, in_currency(table.descriptions.get(name, ""), currency), required),
                "physicalType": kind,
                **_key(table.primary_key, name),
                **_values(accepted.get(name, ())),
            }
        )
    rules = [{"type": "text", "description": f"Of every row: {check}"} for check in table.checks]
    return {
        **_table(table.name, in_currency(table.description, currency)),
        "properties": properties,
        **({"quality": rules} if rules else {}),
    }


def _table(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "physicalName": name,
        "physicalType": "table",
        "logicalType": "object",
        "description": " ".join(description.split()),
    }


def _property(name: str, kind: str, description: str, required: bool) -> dict[str, Any]:
    logical = next((word for start, word in LOGICAL_TYPES.items() if kind.lower().startswith(start)), None)
    if logical is None:
        raise ContractError(f"column {name}: the type {kind!r} has no word in orchestration/contracts.py")
    return {
        "name": name,
        "logicalType": logical,
        "description": " ".join(description.split()),
        **({"required": True} if required else {}),
    }


def _key(key: Sequence[str], name: str) -> dict[str, Any]:
    return {"primaryKey": True, "primaryKeyPosition": list(key).index(name) + 1} if name in key else {}


def _values(values: Sequence[str]) -> dict[str, Any]:
    if not values:
        return {}
    rule = {"metric": "invalidValues", "arguments": {"validValues": list(values)}, "mustBe": 0}
    return {"quality": [rule]}


def _accepted(nodes: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Closed lists of values by table and column."""
    found: dict[str, dict[str, list[str]]] = {}
    for node in nodes.values():
        for name, column in node.get("columns", {}).items():
            for check in ((column.get("config") or {}).get("meta") or {}).get("checks", ()):
                if isinstance(check, Mapping) and "accepted_values" in check:
                    values = [str(value) for value in check["accepted_values"]]
                    found.setdefault(node.get("alias") or node["name"], {})[name] = values
    return found


def main(arguments: Sequence[str]) -> int:
    """Write both into the folder named, by default the present one, and say where they are."""
    from orchestration.settings import read_settings
    from orchestration.warehouse.project import manifest_path, read_manifest

    folder = Path(arguments[0]) if arguments else Path()
    folder.mkdir(parents=True, exist_ok=True)
    for path in write_contracts(read_manifest(manifest_path(read_settings())), folder):
        print(path)
    return 0
