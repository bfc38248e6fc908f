"""The contracts as Open Data Contract Standard files: valid by the standard's own schema, and what dbt's YAML says."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from orchestration.contracts import ContractError, landing_contract, published_contract, write_contracts
from orchestration.landing.contract import contract as declared_landing
from orchestration.publication.ddl import published_tables
from orchestration.settings import read_settings
from orchestration.warehouse.project import manifest_path, read_manifest


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return read_manifest(manifest_path(read_settings()))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    text = (files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def columns(contract: dict[str, Any], table: str) -> dict[str, dict[str, Any]]:
    (found,) = [t for t in contract["schema"] if t["name"] == table]
    return {column["name"]: column for column in found["properties"]}


def test_both_files_are_valid(manifest: dict[str, Any], schema: dict[str, Any], tmp_path: Path) -> None:
    paths = write_contracts(manifest, tmp_path, "EUR")
    assert [path.name for path in paths] == ["landing.odcs.yaml", "published.odcs.yaml"]
    for path in paths:
        jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), schema)


def test_a_file_that_is_no_contract_is_found(manifest: dict[str, Any], schema: dict[str, Any]) -> None:
    broken = landing_contract(manifest)
    broken["schema"][0]["properties"][0]["logicalType"] = "varchar"
    with pytest.raises(jsonschema.ValidationError, match="varchar"):
        jsonschema.validate(broken, schema)


def test_the_landing_contract_has_every_table_and_column_that_files_may_bring(manifest: dict[str, Any]) -> None:
    found = landing_contract(manifest)
    expected = {name: [c.name for c in table.columns] for name, table in declared_landing().items()}
    assert {t["name"]: [c["name"] for c in t["properties"]] for t in found["schema"]} == expected


def test_required_personal_and_closed_columns_say_so(manifest: dict[str, Any]) -> None:
    found = landing_contract(manifest)
    customers, lines = columns(found, "customers"), columns(found, "order_lines")
    assert customers["customer_id"]["required"] and customers["customer_id"]["primaryKey"]
    assert customers["email"]["classification"] == "personal" and "required" not in customers["email"]
    assert customers["kind"]["quality"] == [
        {"metric": "invalidValues", "arguments": {"validValues": ["person", "company"]}, "mustBe": 0}
    ]
    assert (lines["amount"]["logicalType"], lines["ordered_at"]["logicalType"]) == ("number", "timestamp")
    # A line needs no number, and its customer may be empty.
    assert "primaryKey" not in lines["line_number"] and "required" not in lines["customer_id"]


def test_the_published_contract_has_every_table_with_its_key_and_types(manifest: dict[str, Any]) -> None:
    found = published_contract(manifest, "EUR")
    for table in published_tables(manifest).values():
        by_name = columns(found, table.name)
        assert list(by_name) == list(table.columns)
        key = sorted((c["primaryKeyPosition"], name) for name, c in by_name.items() if c.get("primaryKey"))
        assert tuple(name for _, name in key) == table.primary_key
        assert all(by_name[name]["required"] for name in (*table.not_null, *table.primary_key))
        assert all(column["description"] for column in by_name.values())
    months = columns(found, "segment_months")
    assert (months["month"]["logicalType"], months["spend"]["logicalType"]) == ("date", "number")
    assert months["spend"]["physicalType"] == "decimal(18,4)" and months["spend"]["description"].endswith("EUR.")
    verdicts = columns(found, "segments")["market_position"]["quality"][0]["arguments"]["validValues"]
    assert verdicts == ["mass", "edge", "niche"]


def test_a_type_without_a_word_is_named(manifest: dict[str, Any]) -> None:
    odd = json.loads(json.dumps({"metadata": manifest["metadata"], "nodes": {}, "sources": {}}))
    odd["sources"]["s"] = {
        "source_name": "account",
        "name": "odd",
        "config": {"meta": {"primary_key": ["a"]}},
        "columns": {"a": {"data_type": "hugeint[]"}},
    }
    with pytest.raises(ContractError, match="column a: the type 'hugeint"):
        published_contract(odd)
