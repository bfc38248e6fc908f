"""What kept tables are made from: what changes the hash of a landed file, and the note of all of them."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from orchestration.landing.inputs import landed_files, note_inputs
from orchestration.landing.land import LandedFile, LandingReport
from orchestration.settings import Settings, read_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings({"WAREHOUSE_DIR": str(tmp_path / "warehouse"), "STORE_TIMEZONE": "Europe/Berlin"})


@pytest.fixture
def report(settings: Settings) -> LandingReport:
    """Two landed files of order lines, one of products, and one without rows."""
    files = {
        "order_lines": [LandedFile("a.csv", 2, (), "a-1.parquet"), LandedFile("b.csv", 1, (), "b-1.parquet")],
        "products": [LandedFile("p.csv", 1, (), "p-1.parquet"), LandedFile("none.csv", 0, (), "")],
    }
    for table, landed in files.items():
        for file in landed:
            if file.rows:
                put(settings.landed_dir / table / file.landed_name, file.source_file)
    return LandingReport(files)


def put(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


# ---- landed files ---------------------------------------------------------------------------------------------------


def hashes(settings: Settings, report: LandingReport) -> dict[str, int]:
    return {source_file: made_from for _, source_file, made_from in landed_files(settings.landed_dir, report)}


def test_landed_files_are_those_with_rows_by_table(settings: Settings, report: LandingReport) -> None:
    found = [(table, source_file) for table, source_file, _ in landed_files(settings.landed_dir, report)]
    assert found == [("order_lines", "a.csv"), ("order_lines", "b.csv"), ("products", "p.csv")]


def test_hashes_of_landed_files_repeat_and_differ(settings: Settings, report: LandingReport) -> None:
    found = hashes(settings, report)
    assert found == hashes(settings, report)
    assert len(set(found.values())) == 3
    assert all(0 <= value < 2**63 for value in found.values())


def test_a_file_that_was_rewritten_has_another_hash_and_no_other_has(settings: Settings, report: LandingReport) -> None:
    before = hashes(settings, report)
    path = settings.landed_dir / "order_lines" / "a-1.parquet"
    stat = path.stat()
    put(path, "longer than before")
    # Of the same moment, so that the size alone tells.
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    after = hashes(settings, report)
    assert {name for name in before if before[name] != after[name]} == {"a.csv"}


def test_a_file_of_the_same_size_and_another_moment_has_another_hash(settings: Settings, report: LandingReport) -> None:
    before = hashes(settings, report)
    path = settings.landed_dir / "order_lines" / "a-1.parquet"
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    after = hashes(settings, report)
    assert {name for name in before if before[name] != after[name]} == {"a.csv"}


def test_the_landed_name_of_another_state_is_another_hash(settings: Settings, report: LandingReport) -> None:
    before = hashes(settings, report)
    shutil.copy2(settings.landed_dir / "order_lines/a-1.parquet", settings.landed_dir / "order_lines/a-2.parquet")
    report.files["order_lines"][0] = replace(report.files["order_lines"][0], landed_name="a-2.parquet")
    assert hashes(settings, report)["a.csv"] != before["a.csv"]


# ---- the note -------------------------------------------------------------------------------------------------------


def noted(settings: Settings) -> list[dict[str, Any]]:
    return list(pq.read_table(settings.landed_dir / "files.parquet").to_pylist())


def test_the_note_has_a_row_a_landed_file(settings: Settings, report: LandingReport) -> None:
    note_inputs(settings, report)
    expected = [
        {"source_table": table, "source_file": source_file, "made_from": made_from}
        for table, source_file, made_from in landed_files(settings.landed_dir, report)
    ]
    assert len(expected) == 3
    assert noted(settings) == expected


def test_the_note_is_not_written_again_where_it_says_the_same(settings: Settings, report: LandingReport) -> None:
    note_inputs(settings, report)
    path = settings.landed_dir / "files.parquet"
    os.utime(path, (0, 0))
    note_inputs(settings, report)
    assert path.stat().st_mtime == 0


def test_the_note_follows_a_file_that_is_gone(settings: Settings, report: LandingReport) -> None:
    note_inputs(settings, report)
    del report.files["order_lines"][0]
    note_inputs(settings, report)
    assert [row["source_file"] for row in noted(settings)] == ["b.csv", "p.csv"]
