"""Generated landing zones with every kind of dirt: the account, the quarantine and the staged values are the planted
ones; and a whole refresh says the same whatever the order of files and rows, the threads, and how often it runs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.support import dirty_zone
from tests.support.dirty_zone import COLUMNS, Place, Row
from tests.support.landing_zones import StagingRun, run_staging


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
        assert {column for row in mine for column in row.bad} == typed
        typed = {column for column in typed if dirty_zone.refuses(table, column)}
        assert {reason.split(":")[0] for reason in reasons if ": not " in reason} == typed
        missing = {reason.split(":")[0] for reason in reasons if reason.endswith(": missing")}
        assert missing == set(dirty_zone.REQUIRED[table])
        assert sum(reason.startswith("torn") for reason in reasons) >= 2
        assert sum("shared with a row" in reason for reason in reasons) == int(table not in dirty_zone.MASTERS)
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
    counted = {table: tuple(counts) for table, *counts in rows}
    assert {table: counts for table, counts in counted.items() if table in COLUMNS} == dirty_zone.account(places)
    assert {counts for table, counts in counted.items() if table not in COLUMNS} == {(0, 0, 0, 0)}


def test_the_quarantine_is_every_planted_row_with_its_file_its_number_and_its_reasons(
    staged: tuple[dict[Place, Row], StagingRun],
) -> None:
    places, run = staged
    rows = run.query("select source_table, file, row_number, reasons from quarantine")
    found = {(table, file, number): set(reasons.split("; ")) for table, file, number, reasons in rows}
    assert len(found) == len(rows)
    assert found == dirty_zone.quarantine(places)


def test_superseded_rows_name_the_row_that_is_taken_and_are_counted(
    staged: tuple[dict[Place, Row], StagingRun],
) -> None:
    places, run = staged
    fates = dirty_zone.fates(places)
    rows = run.query(
        "select source_table, file, row_number, superseded_by from quarantine where superseded_by is not null"
    )
    assert {tuple(place) for *place, _ in rows} == {p for p, fate in fates.items() if fate == dirty_zone.SUPERSEDED}
    for table, file, number, taken in rows:
        other_file, other_number = taken.rsplit(", row ", 1)
        winner = (table, other_file, int(other_number))
        key = dirty_zone.key_of(table)[0]
        assert fates[winner] == dirty_zone.STAGED
        assert places[winner].values[key] == places[table, file, number].values[key]
    counted = dict(run.query("select source_table, rows_superseded from row_account"))
    assert {t: counted[t] for t in COLUMNS} == {t: sum(row[0] == t for row in rows) for t in COLUMNS}


def test_equal_lines_and_their_money_are_in_the_account(staged: tuple[dict[Place, Row], StagingRun]) -> None:
    places, run = staged
    found = run.query("select equal_lines, equal_lines_amount from row_account where source_table = 'order_lines'")
    assert found == [dirty_zone.equal_lines(places)]
    assert found[0][0] >= 10
    assert run.query("select sum(equal_lines) from row_account where source_table <> 'order_lines'") == [(0,)]


def test_what_cannot_be_read_is_listed_with_its_rows(staged: tuple[dict[Place, Row], StagingRun]) -> None:
    places, run = staged
    found: dict[tuple[str, str], Counter[str]] = {}
    for table, column, spelling, rows in run.query(
        'select source_table, "column", spelling, "rows" from unreadable_values'
    ):
        found.setdefault((table, column), Counter())[spelling] = rows
    expected: dict[tuple[str, str], Counter[str]] = {}
    for (table, column), texts in dirty_zone.unreadable(places).items():
        for text, n in texts.items():
            expected.setdefault((table, column), Counter())[_shown(table, column, text)] += n
    assert found == expected
    assert found["customers", "birth_date"]["99.99.9999"] == 1
    assert found["companies", "annual_revenue"]["1e20"] == 1


def _shown(table: str, column: str, text: str) -> str:
    """In tables of persons, only what looks like an amount or a date is shown as it came, and no birth date."""
    if "email" not in COLUMNS[table]:
        return text
    if column != "birth_date" and text in ("1,5", "3.5", "--1", "31.12.1990", "05.01.2026", "2026-02-30"):
        return text
    return "".join("a" if c.isalpha() else "9" if c.isdigit() else c for c in text)


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
