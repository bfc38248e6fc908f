"""What stops a refresh on Spark before anything runs, and tables handed over as views; no engine runs here."""

from __future__ import annotations

import stat
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest
import yaml
from jinja2 import Environment
from jinja2.nativetypes import NativeEnvironment

from orchestration.settings import Settings, SettingsError, read_settings
from orchestration.warehouse.engines import check_engine, java_command, java_version
from orchestration.warehouse.handover import hand_over
from orchestration.warehouse.tables import built_tables, row_counts
from tests.support.project import ROOT


def settings_in(folder: Path, target: str = "spark") -> Settings:
    return Settings(None, folder, None, "UTC", target)


def java_that_says(folder: Path, text: str) -> dict[str, str]:
    """An environment whose JAVA_HOME holds a java that prints a text."""
    command = folder / "bin" / "java"
    command.parent.mkdir(parents=True)
    command.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{text}\nEND\n")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return {"JAVA_HOME": str(folder), "PATH": "/usr/bin:/bin"}


def everything(name: str) -> bool:
    return True


def test_duckdb_needs_neither_java_nor_an_extra(tmp_path: Path) -> None:
    check_engine(settings_in(tmp_path, "duckdb"), {"PATH": ""}, lambda name: False)


def test_a_target_that_is_not_known_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="DBT_TARGET=oracle: one of duckdb, spark"):
        read_settings({"DBT_TARGET": "oracle", "LANDING_DIR": str(tmp_path)})


def test_a_missing_extra_is_told_with_the_command_that_installs_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"pyspark is not installed.*make refresh DBT_TARGET=spark"):
        check_engine(settings_in(tmp_path), {"PATH": ""}, lambda name: name != "pyspark")


def test_missing_java_is_told_with_the_command_that_installs_it(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"needs Java 17 or later: there is no java in PATH.*apt-get install openjdk-17"
    ):
        check_engine(settings_in(tmp_path), {"PATH": str(tmp_path)}, everything)


def test_an_old_java_is_named_with_its_version(tmp_path: Path) -> None:
    environ = java_that_says(tmp_path / "jdk", 'openjdk version "1.8.0_392"')
    with pytest.raises(SettingsError, match=r"jdk/bin/java is Java 8"):
        check_engine(settings_in(tmp_path), environ, everything)


def test_java_17_is_enough(tmp_path: Path) -> None:
    check_engine(
        settings_in(tmp_path), java_that_says(tmp_path / "jdk", 'openjdk version "17.0.15" 2025-04-15'), everything
    )


def test_over_thrift_java_is_on_another_machine_and_pyspark_is_not_needed(tmp_path: Path) -> None:
    check_engine(settings_in(tmp_path), {"SPARK_METHOD": "thrift", "PATH": ""}, lambda name: name != "pyspark")


@pytest.mark.parametrize(("name", "value"), [("SPARK_METHOD", "telnet"), ("SPARK_PORT", "ten"), ("SPARK_THREADS", "0")])
def test_a_variable_that_cannot_be_used_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}={value}"):
        check_engine(settings_in(tmp_path), {name: value}, everything)


@pytest.mark.parametrize(
    ("environ", "threads"),
    [
        ({}, "2"),
        ({"SPARK_METHOD": "submit"}, "2"),
        ({"SPARK_METHOD": "thrift"}, "1"),
        ({"SPARK_METHOD": "thrift", "SPARK_THREADS": "8"}, "8"),
    ],
)
def test_over_thrift_sessions_do_not_open_and_close_at_once(environ: dict[str, str], threads: str) -> None:
    text = (ROOT / "profiles" / "profiles.yml").read_text(encoding="utf-8")
    spark = yaml.safe_load(text)["segments_in_use"]["outputs"]["spark"]
    jinja = Environment()
    jinja.filters["as_number"] = str
    assert jinja.from_string(spark["threads"]).render(env_var=environ.get) == threads


@pytest.mark.parametrize(
    ("method", "prefix"), [("session", "spark."), ("submit", "spark."), ("thrift", "set:hiveconf:spark.")]
)
def test_dates_before_1582_are_read_and_written_as_they_are(method: str, prefix: str) -> None:
    text = (ROOT / "profiles" / "profiles.yml").read_text(encoding="utf-8")
    spark = yaml.safe_load(text)["segments_in_use"]["outputs"]["spark"]
    environment = NativeEnvironment()
    environment.filters["as_native"] = lambda value: value
    environment.globals.update(zip=zip, dict=dict)
    given = environment.from_string(spark["server_side_parameters"]).render(
        env_var=lambda name, default: method if name == "SPARK_METHOD" else default
    )
    for kind in ("datetime", "int96"):
        for way in ("Read", "Write"):
            assert given[f"{prefix}sql.parquet.{kind}RebaseModeIn{way}"] == "CORRECTED"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "21" 2023-09-19', 21),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "17.0.15"', 17),
        ("no", None),
    ],
)
def test_the_version_is_read_from_what_java_says(text: str, version: int | None) -> None:
    assert java_version(text) == version


def test_java_home_goes_before_the_path(tmp_path: Path) -> None:
    environ = java_that_says(tmp_path / "jdk", "x")
    assert java_command(environ) == str(tmp_path / "jdk" / "bin" / "java")
    assert java_command({"JAVA_HOME": str(tmp_path)}) is None


def write_table(settings: Settings, name: str, query: str, file: str = "part-0.parquet") -> None:
    """A table's file as an engine would leave it."""
    path = settings.spark_tables_dir / name / file
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        con.sql(query).write_parquet(str(path))


def test_tables_in_files_are_read_by_their_names(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "it's [here]")
    write_table(settings, "segments", "select 1 as a")
    write_table(settings, "segments", "select 2 as a", "part-1.parquet")
    (settings.spark_tables_dir / "segments" / "_SUCCESS").touch()
    assert hand_over(settings) == ["segments"]
    with built_tables(settings) as con:
        assert row_counts(con, ["segments", "not_there"]) == {"segments": 2}
        assert con.execute("select a from segments order by a").fetchall() == [(1,), (2,)]


def test_the_folders_of_partitions_are_columns(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    write_table(settings, "days", "select 'x' as a", "day_on=2026-01-31/part-0.parquet")
    hand_over(settings)
    with built_tables(settings) as con:
        assert con.execute("select a, day_on = date '2026-01-31' from days").fetchall() == [("x", True)]


def test_what_a_stopped_run_left_behind_is_no_part_of_a_table(tmp_path: Path) -> None:
    """Spark writes there until it has all: `.spark-staging-…` where partitions are replaced, `_temporary` elsewhere."""
    settings = settings_in(tmp_path)
    write_table(settings, "days", "select 'x' as a", "day_on=2026-01-31/part-0.parquet")
    write_table(settings, "days", "select 'y' as a", ".spark-staging-1/day_on=2026-01-31/part-0.parquet")
    write_table(settings, "days", "select 'z' as a", "_temporary/0/day_on=2026-01-31/part-0.parquet")
    write_table(settings, "segments", "select 'x' as a")
    write_table(settings, "segments", "select 'y' as a", "_temporary/0/task_1/part-0.parquet")
    write_table(settings, "unfinished", "select 'y' as a", "_temporary/0/task_1/part-0.parquet")
    for cut_off in (".spark-staging-2/day_on=2026-01-30", "_temporary/1"):
        path = settings.spark_tables_dir / "days" / cut_off / "part-0.parquet"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"PAR1")
    assert hand_over(settings) == ["days", "segments"]
    with built_tables(settings) as con:
        assert con.execute("select * from days").fetchall() == [("x", date(2026, 1, 31))]
        assert con.execute("select * from segments").fetchall() == [("x",)]


@pytest.mark.parametrize("outside", ["env=prod", "day_on=2020-01-01", "a=b"])
def test_folders_above_the_warehouse_are_no_columns(tmp_path: Path, outside: str) -> None:
    settings = settings_in(tmp_path / outside / "warehouse")
    write_table(settings, "days", "select 'x' as a", "day_on=2026-01-31/part-0.parquet")
    write_table(settings, "days", "select 'y' as a", "day_on=2026-02-01/part-0.parquet")
    write_table(settings, "segments", "select 'x' as a")
    write_table(settings, "lines", "select 'x' as a", "source_file=till%2Forders.csv/part-0.parquet")
    hand_over(settings)
    with built_tables(settings) as con:
        assert con.execute("select * from lines").fetchall() == [("x", "till/orders.csv")]
        assert con.execute("select * from days order by a").fetchall() == [
            ("x", date(2026, 1, 31)),
            ("y", date(2026, 2, 1)),
        ]
        assert con.execute("select * from segments").fetchall() == [("x",)]


def test_moments_are_timestamps_in_utc(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    write_table(settings, "orders", "select timestamptz '2026-03-08 03:00:00-04:00' as ordered_at")
    hand_over(settings)
    with built_tables(settings) as con:
        assert con.execute("select ordered_at, typeof(ordered_at) from orders").fetchall() == [
            (datetime(2026, 3, 8, 7), "TIMESTAMP")
        ]


def test_a_table_that_went_away_is_no_longer_handed_over(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    write_table(settings, "segments", "select 1 as a")
    write_table(settings, "schemes", "select 1 as a")
    hand_over(settings)
    (settings.spark_tables_dir / "schemes" / "part-0.parquet").unlink()
    assert hand_over(settings) == ["segments"]


def test_what_duckdb_built_is_left_as_it_is(tmp_path: Path) -> None:
    assert hand_over(settings_in(tmp_path, "duckdb")) == []
    assert list(tmp_path.iterdir()) == []
