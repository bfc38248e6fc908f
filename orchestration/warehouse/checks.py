"""dbt's tests as people read them: what a test checks, in a sentence, and what the checks of a table's columns found.

Belongs here: the descriptions of Dagster's checks, the lines that the test `columns_hold` leaves in dbt's log.
Does not belong here: what is checked (the YAML of the models, macros/tests/), how results are counted (audit/told.py).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.settings import PROJECT_DIR

COLUMNS_HOLD = "columns_hold"
# How macros/tests/columns_hold.sql marks its lines.
MARK = "check failed: "


@dataclass(frozen=True)
class ColumnCheck:
    """A check of one column: `check` is not_null, unique or accepted_values, the last with its values."""

    column: str
    check: str
    values: tuple[str, ...] = ()

    def words(self) -> str:
        """What holds, as the end of a sentence that begins with the column."""
        if self.check == "accepted_values":
            return f"one of {', '.join(self.values)}"
        return self.check.replace("_", " ")


def declared_checks(model: Mapping[str, Any]) -> list[ColumnCheck]:
    """The checks that the columns of a node of the manifest declare (`meta.checks`), in their order."""
    found = []
    for name, column in model.get("columns", {}).items():
        for check in (column.get("config") or {}).get("meta", {}).get("checks", ()):
            if isinstance(check, str):
                found.append(ColumnCheck(name, check))
            else:
                found.append(
                    ColumnCheck(name, "accepted_values", tuple(str(value) for value in check["accepted_values"]))
                )
    return found


def column_checks(manifest: Mapping[str, Any], test_id: str) -> list[ColumnCheck]:
    """What a test of the manifest checks, where it is `columns_hold`; of every other test nothing."""
    test = manifest["nodes"].get(test_id, {})
    if (test.get("test_metadata") or {}).get("name") != COLUMNS_HOLD:
        return []
    return declared_checks(manifest["nodes"][test["attached_node"]])


def description(manifest: Mapping[str, Any], test_id: str) -> str | None:
    """What a test of the manifest checks, in a sentence; None where only its SQL says it."""
    test = manifest["nodes"][test_id]
    metadata = test.get("test_metadata") or {}
    arguments = metadata.get("kwargs", {})
    arguments = {**arguments, **(arguments.get("arguments") or {})}
    name = metadata.get("name")
    if name == COLUMNS_HOLD:
        by_column: dict[str, list[str]] = {}
        for check in column_checks(manifest, test_id):
            by_column.setdefault(check.column, []).append(check.words())
        return "; ".join(f"{column}: {', '.join(words)}" for column, words in by_column.items())
    if name == "unique_combination":
        return f"No two rows have the same {', '.join(arguments['columns'])}."
    if name == "relationships":
        return f"Every {test.get('column_name')} is a {arguments['field']} of {arguments['to']!s}."
    if test.get("description"):
        return str(test["description"])
    if name == "accepted_values":
        return f"{arguments['column_name']}: one of {', '.join(str(value) for value in arguments['values'])}"
    if name in ("not_null", "unique"):
        return f"{arguments['column_name']}: {name.replace('_', ' ')}"
    # A singular test says it in the comment that its file begins with, one with a macro in that of the macro.
    macro = manifest.get("macros", {}).get(f"macro.{test.get('package_name')}.test_{name}")
    return _first_comment(_macro_file(macro) if macro else test.get("raw_code") or "")


def advice(manifest: Mapping[str, Any], test_id: str) -> str:
    """What a failure of a test stops, and how its rows are found."""
    test = manifest["nodes"][test_id]
    warns = str((test.get("config") or {}).get("severity", "")).lower() == "warn"
    return (
        "What it finds is a warning, the refresh goes on, and the asset published lists it. "
        if warns
        else "A failure stops the refresh; what is published stays. "
    ) + f"The rows: `.venv/bin/dbt show --profiles-dir profiles --select {test['name']}`."


def _macro_file(macro: Mapping[str, Any]) -> str:
    try:
        return (PROJECT_DIR / str(macro["original_file_path"])).read_text(encoding="utf-8")
    except OSError:
        return ""


def _first_comment(code: str) -> str | None:
    """The first paragraph of the comment that a file of SQL begins with, as one line."""
    code = code.lstrip()
    if code.startswith("{#"):
        words = code[2:].partition("#}")[0].split("\n\n")[0]
    else:
        lines = itertools.takewhile(lambda line: line.startswith("--"), code.splitlines())
        words = " ".join(line[2:] for line in lines)
    return " ".join(words.split()) or None


def column_messages(log: Path, run: str) -> dict[str, tuple[int, str]]:
    """What the tests `columns_hold` of one run of dbt found: the test's unique id -> number of checks that do not hold,
    and which, in words.

    Args:
        log: dbt's text log.
        run: dbt's invocation id.
    """
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    found: dict[str, dict[tuple[str, str], int]] = {}
    for said in _marked(lines):
        if said.get("run") == run:
            found.setdefault(said["test"], {})[said["column"], said["check"]] = said["rows"]
    return {test: (len(checks), _told(checks)) for test, checks in found.items()}


def _told(checks: Mapping[tuple[str, str], int]) -> str:
    return "; ".join(
        f"{column}: {check} fails for {rows} {'values' if check == 'unique' else 'rows'}"
        for (column, check), rows in checks.items()
    )


def _marked(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    for line in lines:
        _, mark, text = line.partition(MARK)
        if mark:
            try:
                said = json.loads(text)
            except ValueError:
                continue
            if isinstance(said, dict):
                yield said
