"""Who reads what, as dbt's lineage says it: the exposures name what the report and the database take."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
import yaml

from tests.support.project import ROOT

MARTS = ROOT / "models" / "marts"
REPORT = ROOT / "orchestration" / "report"


@pytest.fixture(scope="module")
def published() -> dict[str, str]:
    """Published table -> the node it is, as an exposure writes it. Whether one is published its YAML says."""
    found = {}
    for path in MARTS.rglob("*.yml"):
        if path.is_relative_to(MARTS / "semantic" / "account"):
            continue
        declared = yaml.safe_load(path.read_text(encoding="utf-8"))
        for model in declared.get("models", []):
            files = [file for file in MARTS.rglob(f"{model['name']}.sql") if file.parent.name != "schemes"]
            if files and model.get("config", {}).get("meta", {}).get("published", True):
                alias = re.search(r"config\(.*alias='(\w+)'", files[0].read_text(encoding="utf-8"))
                found[alias[1] if alias else model["name"]] = f"ref('{model['name']}')"
        for source in declared.get("sources", []):
            if source["name"] == "account":
                found |= {table["name"]: f"source('account', '{table['name']}')" for table in source["tables"]}
    return found


@pytest.fixture(scope="module")
def exposed() -> dict[str, set[str]]:
    declared = yaml.safe_load((MARTS / "semantic" / "exposures.yml").read_text(encoding="utf-8"))
    return {exposure["name"]: set(exposure["depends_on"]) for exposure in declared["exposures"]}


def asked_by_the_report() -> Iterator[str]:
    """What its code asks by name: in SQL, and as the table that it looks for; other words are among them."""
    for path in REPORT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from re.findall(r"\b(?:from|join)\s+(\w+)", node.value)
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("has", "table")
            ):
                yield from (name.value for name in node.args[:1] if isinstance(name, ast.Constant))


def test_the_report_is_said_to_read_what_it_reads(published: dict[str, str], exposed: dict[str, set[str]]) -> None:
    read = {published[name] for name in asked_by_the_report() if name in published}
    assert len(read) > 30
    assert exposed["report"] == read


def test_the_database_is_said_to_have_every_published_table(
    published: dict[str, str], exposed: dict[str, set[str]]
) -> None:
    assert len(published) > 40
    assert exposed["postgresql"] == set(published.values())
