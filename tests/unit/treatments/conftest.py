"""A changed copy of seeds/treatments.csv, and the check's report on it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestration.seeds.treatments import COLUMNS
from orchestration.treatments.check import CheckReport, check
from tests.support.treatment_seeds import Mutation, make_input, seed_rows


@pytest.fixture
def write_treatments(tmp_path: Path) -> Callable[[Mutation], Path]:
    """Writes a copy of seeds/treatments.csv after a change to its rows, which come by treatment_id."""

    def write(mutation: Mutation) -> Path:
        rows = {row["treatment_id"]: row for row in seed_rows("treatments.csv")}
        mutation(rows)
        path = tmp_path / "treatments.csv"
        with path.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows.values())
        return path

    return write


@pytest.fixture
def check_mutated(write_treatments: Callable[[Mutation], Path]) -> Callable[..., CheckReport]:
    """The report on seeds/treatments.csv after a change; keywords replace parts of the input."""

    def run(mutation: Mutation = lambda rows: None, **changes: object) -> CheckReport:
        return check(replace(make_input(write_treatments(mutation)), **changes))  # type: ignore[arg-type]

    return run
