"""Data tests: checks of columns; and of kept tables, what has passed is not read again, until it no longer would."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests.support import growing_zone, project

pytestmark = pytest.mark.slow

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


@pytest.fixture(scope="module")
def untested(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A landing zone, and the folder where it was built without tests."""
    tmp = tmp_path_factory.mktemp("untested")
    landing_dir = growing_zone.write_zone(tmp / "zone", growing_zone.Zone(customers=6, days=40))
    project.build(landing_dir, tmp)
    return landing_dir, tmp


def test_a_run_without_the_tests_tests_nothing(untested: tuple[Path, Path]) -> None:
    landing_dir, folder = untested
    built = project.Build(folder / "warehouse", folder / "target", "")
    assert built.rows("select table_name from duckdb_tables() where table_name like 'tested%'") == []
    # Some of the tests of a table are not all of them.
    again(landing_dir, folder, "--exclude", TEST + "*")
    assert built.rows("select table_name from duckdb_tables() where table_name like 'tested%'") == []


def test_each_check_of_a_column_that_does_not_hold_is_told_with_its_rows(untested: tuple[Path, Path]) -> None:
    landing_dir, folder = untested
    built = project.Build(folder / "warehouse", folder / "target", "")
    arguments = ["test", "--select", "int_customers"]

    def tested() -> str:
        return project.dbt(arguments, folder / "warehouse", folder / "target", LANDING_DIR=str(landing_dir)).output

    assert "check failed" not in tested()
    (first,), (second,) = built.rows("select customer_id from int_customers order by 1 limit 2")
    change(built, f"update int_customers set is_profiled = null where customer_id in ('{first}', '{second}')")
    change(built, f"update int_customers set kind = 'nobody' where customer_id = '{first}'")
    # Null is neither a copy nor an unaccepted value: each counts for one check alone.
    change(built, f"update int_customers set kind = null where customer_id = '{second}'")
    numbers = "(select min(customer_number) from int_customers)"
    change(built, f"update int_customers set customer_number = {numbers}")
    with pytest.raises(AssertionError) as stopped:
        tested()
    lines = [line.partition("check failed: ")[2] for line in str(stopped.value).splitlines()]
    said = [json.loads(line) for line in lines if line]
    found = {(line["column"], line["check"]): line["rows"] for line in said}
    assert found == {
        ("is_profiled", "not_null"): 2,
        ("kind", "accepted_values"): 1,
        ("customer_number", "unique"): 1,
    }


def again(landing_dir: Path, folder: Path, *arguments: str) -> project.Build:
    """The table and its tests, once more."""
    selected = ["--select", "int_memberships", *arguments]
    return project.build(landing_dir, folder, with_tests=True, arguments=selected)


def change(built: project.Build, sql: str) -> None:
    with duckdb.connect(str(built.file)) as con:
        con.execute(sql)
