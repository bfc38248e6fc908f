"""What the checks and steps of a run said: counts, and each warning in words.

Belongs here: the words of a check that did not pass, and what it counts as. The terminal and the report say the same,
because both read it here.
Does not belong here: what is checked (suites.py, tests/dbt/), how a page or a screen shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WARNINGS = "warnings"
# Of what a step made: its rows, under the name that Dagster shows.
ROW_COUNT = "dagster/row_count"
# Of a check: what it found, in words.
MESSAGE = "message"
# Of a check that warns: Dagster has it as passed, because it would call it "Failed" where nothing stopped.
WARNED = "warned"
# How the text beside it begins.
WENT_ON = "Warning, the refresh went on: "
# Where a step has put what it made, for whoever looks for it: shown when the refresh is done.
PLACE = "place"
# How a step's message begins that says how far it is.
# Metadata of what a step makes beside its asset, which counts those rows too.
PART_OF = "part_of"
SO_FAR = "so far: "
# Of a result that stands for the checks of many columns: how many they are, and how many of them failed.
CHECKS = "checks"
CHECKS_FAILED = "checks_failed"
# What to do about a dbt test that only warns: dbt tells how many rows it found, and nothing else.
NEXT_STEPS = {
    "category_meanings_cover_spend": "Give the categories with most spend a meaning (seed category_meanings): "
    "make meanings writes them with proposals, and takes your answers back into SEEDS_DIR; or lower var "
    "min_meaning_coverage. Until then these schemes judge members by a part of what they buy."
}


@dataclass(frozen=True)
class Problem:
    """Why a refresh stopped, or what it warns of: where, and the message."""

    where: str
    message: str


@dataclass(frozen=True)
class Told:
    """Checks of a run: passed, failed with severity warning, failed with severity error; and every warning in words.

    Warnings of steps that have no check (landing) are among `warnings`, and not counted.
    """

    passed: int = 0
    warned: int = 0
    failed: int = 0
    warnings: tuple[Problem, ...] = ()


def has_warned(evaluation: Any) -> bool:
    """Whether a check warns: it says so, or, in runs of earlier versions, failed with the severity of a warning."""
    if evaluation.passed:
        return WARNED in (evaluation.metadata or {})
    return getattr(evaluation.severity, "value", evaluation.severity) == "WARN"


def counted(evaluation: Any) -> tuple[int, int]:
    """How many checks a result stands for: those that hold, and those that do not."""
    metadata = evaluation.metadata or {}
    checks = int(metadata[CHECKS].value) if CHECKS in metadata else 1
    if evaluation.passed and not has_warned(evaluation):
        return checks, 0
    failed = int(metadata[CHECKS_FAILED].value) if CHECKS_FAILED in metadata else 1
    return max(checks - failed, 0), failed


def check_name(evaluation: Any) -> str:
    """`check on table`, the way people look for it."""
    table = (evaluation.metadata or {}).get("table")
    name = table.value if table is not None else evaluation.asset_key.to_user_string()
    # dbt ends the name of a test without arguments in an underscore.
    return f"{evaluation.check_name.rstrip('_')} on {name}"


def check_message(evaluation: Any) -> str:
    """What a check found: its own message, else dbt's count of rows and what to do about them."""
    metadata = evaluation.metadata or {}
    if MESSAGE in metadata:
        return str(metadata[MESSAGE].value)
    if "dagster_dbt/failed_row_count" in metadata:
        rows = f"{metadata['dagster_dbt/failed_row_count'].value} rows"
        return ". ".join([rows, *([NEXT_STEPS[evaluation.check_name]] if evaluation.check_name in NEXT_STEPS else [])])
    return evaluation.description or "failed"


def step_warnings(metadata: Mapping[str, Any]) -> list[str]:
    """The warnings that a step put into the metadata of what it made."""
    value = metadata.get(WARNINGS)
    return [str(text) for text in value.value] if value is not None else []
