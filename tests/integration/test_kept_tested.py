"""Data tests of kept tables: what has passed is not read again, and what has not is, until it passes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests.integration import growing_zone, project

TESTED = "select as_of from tested_int_memberships order by as_of"
TEST = "unique_combination_int_memberships"


def test_a_partition_is_tested_until_it_passes_and_then_by_dbt_test_alone(tmp_path: Path) -> None:
    landing_dir = growing_zone.write_zone(tmp_path / "zone", growing_zone.Zone(customers=6, days=70))
    built = project.build(landing_dir, tmp_path, with_tests=True)
    dates: list[tuple[date]] = built.rows("select distinct as_of from int_memberships order by as_of")
    assert built.rows(TESTED) == dates and len(dates) > 2
    (doubled,), (other,) = dates[0], dates[1]
    change(built, f"insert into int_memberships select * from int_memberships where as_of = date '{doubled}'")

    again(landing_dir, tmp_path)
    with pytest.raises(AssertionError, match=f"FAIL.*{TEST}"):
        project.dbt(
            ["test", "--select", "int_memberships"],
            tmp_path / "warehouse",
            tmp_path / "target",
            LANDING_DIR=str(landing_dir),
        )

    change(built, f"delete from tested_int_memberships where as_of = date '{other}'")
    again(landing_dir, tmp_path)
    assert built.rows(TESTED) == dates

    # As if the date had come with this run, or its hash had changed; a run that fails leaves it to be tested.
    change(built, f"update tested_int_memberships set made_from = made_from - 1 where as_of = date '{doubled}'")
    for _ in range(2):
        with pytest.raises(AssertionError, match=f"FAIL.*{TEST}"):
            again(landing_dir, tmp_path)
    change(built, f"delete from int_memberships where as_of = date '{doubled}'")
    again(landing_dir, tmp_path)
    hashes = "select as_of, made_from from {} order by as_of"
    assert built.rows(hashes.format("tested_int_memberships")) == built.rows(hashes.format("int_membership_dates"))


def test_a_run_without_the_tests_tests_nothing(tmp_path: Path) -> None:
    landing_dir = growing_zone.write_zone(tmp_path / "zone", growing_zone.Zone(customers=6, days=40))
    built = project.build(landing_dir, tmp_path)
    assert built.rows("select table_name from duckdb_tables() where table_name like 'tested%'") == []
    # Some of the tests of a table are not all of them.
    again(landing_dir, tmp_path, "--exclude", TEST + "*")
    assert built.rows("select table_name from duckdb_tables() where table_name like 'tested%'") == []


def again(landing_dir: Path, folder: Path, *arguments: str) -> project.Build:
    """The table and its tests, once more."""
    selected = ["--select", "int_memberships", *arguments]
    return project.build(landing_dir, folder, with_tests=True, arguments=selected)


def change(built: project.Build, sql: str) -> None:
    with duckdb.connect(str(built.file)) as con:
        con.execute(sql)
