"""After a year of refreshes the history has no gap, no overlap, and is what one build of the same files says.

A refresh a fortnight here (and one on each day that brings something unusual), a refresh a day with `make test-year`,
which takes about an hour. What happens on the way is in simulated_year.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.support import project
from tests.support.simulated_year import CORRECTED, DELETED, EVENTS, LATE, LOST, NEW_PROFILE, SENT_AGAIN, ZONE

pytestmark = pytest.mark.slow

# Days a step; 1 in `make test-year`.
STEP = int(os.environ.get("YEAR_STEP", "14"))


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the simulated year found."""
    base = tmp_path_factory.mktemp("year")
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.simulated_year", str(base), str(STEP)],
        cwd=project.ROOT,
        env=project.environment(base / "unused", base / "unused-target", {}),
        capture_output=True,
        text=True,
        timeout=7200,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_year_is_built_step_by_step(year: dict[str, Any]) -> None:
    regular = {day for day in range(1, ZONE.days) if day % STEP == 0} | {ZONE.days - 1, *EVENTS}
    assert year["builds"] == len(regular)
    assert year["dates"] >= 52
    assert all(rows > 500 for rows in year["rows"].values())


def test_no_step_leaves_a_gap_an_overlap_or_another_segment_than_the_grid(year: dict[str, Any]) -> None:
    assert year["problems"] == []


def test_the_years_end_equals_one_build_of_the_same_files_row_for_row(year: dict[str, Any]) -> None:
    assert year["differing"] == []


def test_late_corrected_and_deleted_lines_are_counted_as_restating_the_past_and_nothing_else_is(
    year: dict[str, Any],
) -> None:
    restated = {int(day): tuple(counts) for day, counts in year["restated"].items()}
    assert set(restated) == set(EVENTS)
    for day in (LATE, CORRECTED, DELETED):
        dates, memberships = restated[day]
        assert 0 < dates <= memberships, EVENTS[day]
    # Copies say nothing new, and a lost build file is built again as it was.
    assert restated[SENT_AGAIN] == restated[LOST] == (0, 0)
    # A profile has no date: a corrected one speaks for the whole past.
    assert restated[NEW_PROFILE][0] > 40
