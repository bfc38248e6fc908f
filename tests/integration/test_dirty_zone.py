"""Generated landing zones with every kind of dirt: the account, the quarantine and the staged values are the planted
ones; and a whole refresh says the same whatever the order of files and rows, the threads, and how often it runs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.integration import dirty_zone
from tests.integration.dirty_zone import COLUMNS, Place, Row
from tests.integration.landing_zones import StagingRun, run_staging


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dirty")


@pytest.fixture(scope="module", params=[1, 2])
def staged(scratch: Path, request: pytest.FixtureRequest) -> tuple[dict[Place, Row], StagingRun]:
    """Where each planted row lies, and staging's run over it; other rows and other files for each seed."""
    seed = int(request.param)
    places = dirty_zone.layout(dirty_zone.planted(seed), scratch / f"zone-{seed}", seed)
    run = run_staging(scratch / "warehouse", scratch / f"zone-{seed}")
    assert run.returncode == 0, run.output[-6000:]
    return places, run


def test_the_generator_plants_every_kind_of_dirt_in_every_table() -> None:
    rows = dirty_zone.planted()
    for table, columns in COLUMNS.items():
        mine = [row for row in rows if row.table == table]
        reasons = Counter(reason for row in mine for reason in row.reasons)
        typed = {c for c, kind in columns.items() if kind in dirty_zone.UNTYPABLE}
        assert {reason.split(":")[0] for reason in reasons if ": not " in reason} == typed
        missing = {reason.split(":")[0] for reason in reasons if reason.endswith(": missing")}
        assert missing == set(dirty_zone.REQUIRED[table])
        assert sum(reason.startswith("torn") for reason in reasons) >= 2
        assert sum("shared with a row" in reason for reason in reasons) == 1
        assert max(Counter(row.content for row in mine if not row.reasons).values()) > 1


def test_rivals_and_copies_lie_in_different_files(staged: tuple[dict[Place, Row], StagingRun]) -> None:
    """Not vacuous: a key that is told twice, and a row that is sent twice, span files and formats."""
    files: dict[int, set[str]] = {}
    for (_, file, _), row in staged[0].items():
        files.setdefault(row.content, set()).add(file)
    copied = Counter(row.content for row in staged[0].values() if row.fate == dirty_zone.STAGED)
    assert sum(len(files[content]) > 1 for content, n in copied.items() if n > 1) > 20
    assert {Path(file).suffix.lower() for found in files.values() for file in found} == {".csv", ".parquet"}


def test_the_account_of_every_table_is_the_planted_one(staged: tuple[dict[Place, Row], StagingRun]) -> None:
    places, run = staged
    rows = run.query("select source_table, rows_landed, rows_staged, rows_quarantined, rows_duplicate from row_account")
    assert {table: tuple(counts) for table, *counts in rows} == dirty_zone.account(places)


def test_the_quarantine_is_every_planted_row_with_its_file_its_number_and_its_reasons(
    staged: tuple[dict[Place, Row], StagingRun],
) -> None:
    places, run = staged
    rows = run.query("select source_table, file, row_number, reasons from quarantine")
    found = {(table, file, number): set(reasons.split("; ")) for table, file, number, reasons in rows}
    assert len(found) == len(rows)
    assert found == dirty_zone.quarantine(places)


@pytest.mark.parametrize("table", COLUMNS)
def test_what_is_staged_means_what_was_planted(staged: tuple[dict[Place, Row], StagingRun], table: str) -> None:
    places, run = staged
    names = ", ".join(name for name, kind in COLUMNS[table].items() if kind != "p")
    found = run.query(f"select {names} from stg_{table}")
    expected = dirty_zone.staged(places, table)
    assert sorted(map(repr, map(_plain, found))) == sorted(map(repr, map(_plain, expected)))


def _plain(row: tuple) -> tuple:
    """Numbers without the zeros at their end: 2.50 is 2.5."""
    return tuple(float(value) if type(value).__name__ == "Decimal" else value for value in row)


def test_extra_columns_are_named_in_a_warning(staged: tuple[dict[Place, Row], StagingRun]) -> None:
    for table in COLUMNS:
        assert f"{table}: columns kept out, not in the contract: colour, shoe size" in staged[1].output


def test_the_generator_tells_the_order_of_rows_and_files_from_what_they_say(tmp_path: Path) -> None:
    rows = dirty_zone.planted()
    one, other = (dirty_zone.layout(rows, tmp_path / str(seed), seed) for seed in (1, 2))
    assert one != other
    for table, (landed, staged, _, _) in dirty_zone.account(one).items():
        assert (landed, staged) == dirty_zone.account(other)[table][:2]
