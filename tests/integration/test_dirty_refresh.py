"""Whole refreshes of a landing zone with every kind of dirt: the planted account is published, and the same rows in
whatever order of files and rows, with other threads and a second time; no planted name is in anything written."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import pytest

from tests.support import dirty_zone
from tests.support.dirty_zone import COLUMNS, SECRETS, Place, Row
from tests.support.growing_zone import STATEFUL, Warehouse, published_rows

pytestmark = pytest.mark.slow

# `responses` and `assignments` are not there at all: tables that are not required.
TABLES = tuple(table for table in COLUMNS if table not in ("responses", "assignments"))
# So many good rows for each bad one that no table is over max_quarantine_share (1 %).
GOOD = 100


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return dirty_zone.planted(5, GOOD, TABLES)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dirt")


@pytest.fixture(scope="module")
def refreshed(rows: list[Row], base: Path) -> tuple[dict[Place, Row], Warehouse, str]:
    """Where the rows lie, the warehouse after one refresh, and what was printed."""
    places = dirty_zone.layout(rows, base / "zone", 1)
    warehouse = Warehouse(base / "warehouse", base / "zone")
    return places, warehouse, warehouse.refresh()


@pytest.fixture(scope="module")
def first(refreshed: tuple[dict[Place, Row], Warehouse, str]) -> dict[str, tuple[int, str]]:
    """Rows and digest of every table that the first refresh published."""
    return published_rows(refreshed[1], leaving_out=())


def test_the_published_account_is_the_planted_one(refreshed: tuple[dict[Place, Row], Warehouse, str]) -> None:
    places, warehouse, _ = refreshed
    found = warehouse.rows("select rows_landed, rows_staged, rows_quarantined, rows_duplicate from refreshes")
    counts = dirty_zone.account(places).values()
    assert found == [tuple(map(sum, zip(*counts, strict=True)))]


def test_the_published_quarantine_is_the_planted_one(refreshed: tuple[dict[Place, Row], Warehouse, str]) -> None:
    places, warehouse, _ = refreshed
    found = warehouse.rows("select source_table, file, row_number, reasons from quarantine")
    assert {(t, f, n): set(reasons.split("; ")) for t, f, n, reasons in found} == dirty_zone.quarantine(places)


def test_a_second_run_publishes_identical_rows_and_restates_nothing(
    refreshed: tuple[dict[Place, Row], Warehouse, str], first: dict[str, tuple[int, str]]
) -> None:
    warehouse = refreshed[1]
    warehouse.refresh()
    assert warehouse.rows("select count(*), max(memberships_restated) from refreshes") == [(2, 0)]
    again = published_rows(warehouse, leaving_out=())
    assert {name for name in first if again[name] != first[name]} <= set(STATEFUL)


def test_other_files_another_order_and_other_threads_publish_identical_rows(
    rows: list[Row], base: Path, first: dict[str, tuple[int, str]]
) -> None:
    """A new warehouse, so that also what depends on earlier refreshes must be the same."""
    places = dirty_zone.layout(rows, base / "shuffled", 2)
    warehouse = Warehouse(base / "other", base / "shuffled")
    warehouse.refresh(cpus=1, DBT_THREADS="4")
    found = published_rows(warehouse, leaving_out=())
    # The quarantine names files and row numbers, and holds the rows in the spelling of their file.
    assert {name for name in first if found[name] != first[name]} <= {"quarantine", "refreshes"}
    refused = warehouse.rows("select source_table, file, row_number, reasons from quarantine")
    assert {(t, f, n): set(reasons.split("; ")) for t, f, n, reasons in refused} == dirty_zone.quarantine(places)


@pytest.fixture(scope="module")
def refusals(refreshed: tuple[dict[Place, Row], Warehouse, str], base: Path) -> list[str]:
    """What refreshes print that stop at files full of personal data: one that cannot be read, and one of bad rows."""
    warehouse = refreshed[1]
    folder = base / "zone" / "customers"
    said = []
    header = "customer_id,kind,birth_date,full_name,email,phone\n"
    unreadable = f"{header}c1,person,,{SECRETS[0]},{SECRETS[1]},{SECRETS[2]}\nc2,person,,Jos\xe9 Planted,,\n"
    bad = header + "".join(f"b{n},robot,31.12.1990,{SECRETS[3]},{SECRETS[4]},{SECRETS[2]}\n" for n in range(500))
    for number, data in enumerate([unreadable.encode("latin-1"), bad.encode()]):
        path = folder / f"refused-{number}.csv"
        path.write_bytes(data)
        process = warehouse.start()
        said.append(process.communicate(timeout=600)[0])
        assert process.returncode == 1, said[-1]
        path.unlink()
    return said


def test_a_refused_landing_zone_names_file_and_reason(refusals: list[str]) -> None:
    assert "customers/refused-0.csv: not UTF-8, near row" in refusals[0]
    assert "customers: " in refusals[1] and "rows refused, more than max_quarantine_share" in refusals[1]


def test_no_personal_data_is_in_anything_that_was_written_or_said(
    refreshed: tuple[dict[Place, Row], Warehouse, str], refusals: list[str]
) -> None:
    """Tables of every database and parquet file, and the bytes of every other: logs, reports, Dagster's own storage."""
    _, warehouse, output = refreshed
    found: Counter[str] = Counter()
    looked_at: Counter[str] = Counter()

    def look(where: str, text: str) -> None:
        looked_at[where] += 1
        found.update({f"{secret} in {where}": text.count(secret) for secret in personal() if secret in text})

    look("output", output)
    for said in refusals:
        look("output", said)
    folders = [warehouse.folder, Path(warehouse.environment()["DAGSTER_HOME"]), warehouse.folder.parent / "dbt-target"]
    for path in (p for folder in folders for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
        if path.suffix == ".parquet":
            with duckdb.connect() as con:
                look("parquet", str(con.read_parquet(str(path)).fetchall()))
        elif path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as con:
                for (table,) in con.execute("select table_name from duckdb_tables()").fetchall():
                    look("table", str(con.sql(f'from "{table}"').fetchall()))
        look(path.suffix or "other", path.read_bytes().decode("utf-8", "replace"))
    assert found == {}
    # The search does look everywhere, and would find what is there.
    assert all(looked_at[where] for where in ("output", "parquet", "table", ".log", ".html", ".json", ".db", ".duckdb"))
    zone = b"".join(path.read_bytes() for path in warehouse.landing_dir.rglob("*.csv"))
    assert all(secret.encode() in zone for secret in SECRETS)


def personal() -> list[str]:
    """The planted values, and the parts that would be left of them by a split at commas or blanks."""
    return [*SECRETS, "Planted-Name", "planted-mail", "555-planted", "Bo Planted", "Jos\xe9 Planted"]
