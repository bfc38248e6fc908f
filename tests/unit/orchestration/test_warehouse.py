"""dbt's arguments, names in Dagster, and rows counted after dbt has let go of its file; dbt does not run here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetCheckResult, AssetKey, Output

from orchestration.defs.build import (
    history_partitions,
    messages,
    with_column_checks,
    with_messages,
    with_progress,
    with_row_counts,
    without_frame,
)
from orchestration.defs.translator import Translator, asset_key, group_name, scheme_description
from orchestration.settings import PROJECT_DIR, Settings
from orchestration.warehouse.checks import column_checks
from orchestration.warehouse.dbt_arguments import HALVES, build_arguments, is_staging, parse_arguments
from orchestration.warehouse.project import fingerprint, manifest_path, project_vars, read_manifest
from orchestration.warehouse.tables import NotBuilt, built_tables, refresh_day, row_counts


def test_a_build_runs_no_unit_tests_and_leaves_spanning_tests_to_the_second_half() -> None:
    arguments = build_arguments("duckdb")
    assert arguments[0] == "build"
    assert arguments[arguments.index("--exclude-resource-type") + 1] == "unit_test"
    assert arguments[arguments.index("--indirect-selection") + 1] == "buildable"
    assert arguments[arguments.index("--target") + 1] == "duckdb"


def test_only_a_full_build_starts_from_nothing() -> None:
    assert "--full-refresh" not in build_arguments("duckdb")
    assert "--full-refresh" in build_arguments("duckdb", full=True)


def test_the_target_is_handed_on() -> None:
    assert "spark" in build_arguments("spark")
    assert parse_arguments("spark", Path("/x"))[-4:] == ["--target", "spark", "--target-path", "/x"]


def test_the_second_half_is_all_that_the_first_is_not() -> None:
    first, second = HALVES
    assert second.exclude == first.select
    assert second.select == "fqn:*"


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        ("seeds/treatments.csv", "seed", True),
        ("models/staging/stg_customers.sql", "model", True),
        ("models/intermediate/int_members.sql", "model", False),
        ("models/marts/segments/schemes/rfm.sql", "model", False),
    ],
)
def test_seeds_and_staging_are_the_first_half(path: str, kind: str, expected: bool) -> None:
    assert is_staging({"original_file_path": path, "resource_type": kind}) is expected


def test_the_key_of_a_model_is_its_table_without_schema_or_folder() -> None:
    node = {"resource_type": "model", "name": "segment_treatments", "alias": "treatments", "config": {"schema": "x"}}
    assert asset_key(node) == AssetKey("treatments")


def test_every_table_of_the_landing_zone_is_the_asset_landing() -> None:
    for table in ("customers", "order_lines"):
        node = {"resource_type": "source", "source_name": "landing", "name": table}
        assert asset_key(node) == AssetKey("landing")


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("models/staging/stg_customers.sql", "staging"),
        ("models/intermediate/int_members.sql", "intermediate"),
        ("models/marts/affinities/product_affinities.sql", "affinities"),
        ("models/marts/segments/schemes/rfm.sql", "segments"),
        ("models/marts/loose.sql", "marts"),
    ],
)
def test_the_group_is_the_folder(path: str, group: str) -> None:
    assert group_name({"resource_type": "model", "original_file_path": path}) == group


def scheme_node(name: str, path: str = "models/marts/segments/schemes") -> dict[str, Any]:
    return {"resource_type": "model", "name": name, "original_file_path": f"{path}/{name}.sql", "raw_code": "select 1"}


def test_a_scheme_is_described_as_its_seed_does(tmp_path: Path) -> None:
    seed = tmp_path / "segment_schemes.csv"
    seed.write_text('scheme,audience,description\nrfm,person,"Recency, frequency."\nbare,person,\n', encoding="utf-8")
    assert scheme_description(scheme_node("rfm"), seed) == "Recency, frequency."
    # A scheme that the seed does not describe or know, a model elsewhere, no seed.
    assert scheme_description(scheme_node("bare"), seed) is None
    assert scheme_description(scheme_node("gender"), seed) is None
    assert scheme_description(scheme_node("rfm", "models/marts/segments"), seed) is None
    assert scheme_description(scheme_node("rfm"), tmp_path / "none.csv") is None


def test_the_catalogue_shows_what_the_seed_says_of_a_scheme_before_its_sql() -> None:
    shown = Translator().get_description(scheme_node("rfm"))
    assert shown.startswith("How recently and how often the member buys")
    assert "select 1" in shown
    other = {**scheme_node("int_members", "models/intermediate"), "description": "Who is a member."}
    assert Translator().get_description(other).startswith("Who is a member.")


def test_rows_are_added_when_dbt_has_finished_and_checks_pass_at_once() -> None:
    order: list[str] = []

    def events() -> Iterator[Any]:
        yield Output(None, "segments")
        order.append("dbt goes on")
        yield "check"
        order.append("dbt ends")

    def count(tables: list[str]) -> dict[str, int]:
        order.append(f"count {tables}")
        return {"segments": 12}

    found = list(with_row_counts(events(), count))
    assert order == ["dbt goes on", "dbt ends", "count ['segments']"]
    assert found[0] == "check"
    assert found[1].metadata["dagster/row_count"].value == 12


def test_what_was_built_before_dbt_failed_is_handed_on_before_the_failure() -> None:
    def events() -> Iterator[Any]:
        yield Output(None, "segments")
        raise RuntimeError("dbt failed")

    stream = with_row_counts(events(), lambda tables: {"segments": 3})
    assert next(stream).output_name == "segments"
    with pytest.raises(RuntimeError, match="dbt failed"):
        next(stream)


def check(status: str, passed: bool = False) -> AssetCheckResult:
    metadata = {"status": status, "unique_id": "test.x", "dagster_dbt/failed_row_count": 0}
    return AssetCheckResult(passed=passed, asset_key="refused_rows", check_name="x", metadata=metadata)


def test_a_check_that_ended_in_an_error_says_which(tmp_path: Path) -> None:
    (tmp_path / "run_results.json").write_text(
        '{"results": [{"unique_id": "test.x", "status": "error", "message": "Runtime Error in test x (tests/dbt/x.sql)'
        '\\n  Invalid Input Error: order_lines: 1 of 12 rows refused\\n\\n  compiled code at /a/x.sql"}]}'
    )

    def events() -> Iterator[Any]:
        yield check("error")
        yield check("pass", passed=True)
        raise RuntimeError("dbt failed")

    stream = with_messages(events(), lambda: messages(tmp_path))
    assert next(stream).passed
    assert next(stream).metadata["message"].value == "order_lines: 1 of 12 rows refused"
    with pytest.raises(RuntimeError, match="dbt failed"):
        next(stream)


def test_tables_are_counted_while_they_are_built() -> None:
    seconds = iter([0.0, 1.0, 4.0, 4.0, 5.0, 9.0, 9.0])
    said: list[str] = []
    events = [Output(None, "a"), "check", Output(None, "b"), Output(None, "c")]
    assert list(with_progress(iter(events), 9, said.append, lambda: next(seconds))) == events
    assert said == ["so far: 1 of 9 tables", "so far: 3 of 9 tables"]


def test_checks_of_columns_are_counted_and_those_that_fail_are_named(tmp_path: Path) -> None:
    """What dbt logged in an earlier run, or of another test, is not taken for it."""
    columns = {
        "kind": {"config": {"meta": {"checks": ["not_null", {"accepted_values": ["person", "company"]}]}}},
        "number": {"config": {"meta": {"checks": ["unique"]}}},
        "note": {},
    }
    manifest = {
        "nodes": {
            "model.x": {"columns": columns},
            "test.x": {"test_metadata": {"name": "columns_hold"}, "attached_node": "model.x"},
            "test.y": {"test_metadata": {"name": "unique_combination"}, "attached_node": "model.x"},
        }
    }
    assert [check.words() for check in column_checks(manifest, "test.x")] == [
        "not null",
        "one of person, company",
        "unique",
    ]
    assert column_checks(manifest, "test.y") == []
    (tmp_path / "run_results.json").write_text('{"metadata": {"invocation_id": "now"}, "results": []}')
    said = [
        {"run": "before", "test": "test.x", "check": "unique", "column": "number", "rows": 9},
        {"run": "now", "test": "test.x", "check": "not_null", "column": "kind", "rows": 3},
        {"run": "now", "test": "test.x", "check": "unique", "column": "number", "rows": 1},
    ]
    (tmp_path / "dbt.log").write_text("".join(f"13:22:01 [info ]: check failed: {json.dumps(line)}\n" for line in said))

    def events() -> Iterator[Any]:
        yield check("fail")
        yield check("pass", passed=True)

    passed, failed = with_messages(with_column_checks(events(), manifest), lambda: messages(tmp_path))
    assert passed.passed and passed.metadata["checks"].value == 3
    assert failed.metadata["checks_failed"].value == 2
    assert failed.metadata["message"].value == "kind: not_null fails for 3 rows; number: unique fails for 1 values"


def test_a_check_that_found_rows_is_handed_on_at_once() -> None:
    assert list(with_messages(iter([check("fail")]), dict)) == [check("fail")]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Runtime Error in test x (a.sql)\n  Invalid Input Error: a: 1 of 2", "a: 1 of 2"),
        ("Database Error in model y (a.sql)\n  Parser Error: syntax error at: 2", "syntax error at: 2"),
        ("nothing: of the kind", "nothing: of the kind"),
    ],
)
def test_dbts_frame_around_a_message_is_left_out(message: str, expected: str) -> None:
    assert without_frame(message) == expected


def settings_in(folder: Path) -> Settings:
    return Settings(None, folder, None, "UTC", "duckdb")


def test_models_that_were_not_built_are_told_how_to_build(tmp_path: Path) -> None:
    with pytest.raises(NotBuilt, match="make refresh"), built_tables(settings_in(tmp_path)):
        pass


def test_built_tables_are_read_by_bare_name_and_never_written(tmp_path: Path) -> None:
    import duckdb

    settings = settings_in(tmp_path)
    settings.build_file.parent.mkdir()
    with duckdb.connect(str(settings.build_file)) as con:
        con.execute("create table segments as select 1 as a")
    with built_tables(settings) as con:
        assert row_counts(con, ["segments", "not_there"]) == {"segments": 1}
        with pytest.raises(duckdb.Error):
            con.execute("insert into segments values (2)")


def test_a_candidates_tables_come_before_those_of_the_build(tmp_path: Path) -> None:
    import duckdb

    settings = settings_in(tmp_path)
    settings.build_file.parent.mkdir()
    for path, value in ((settings.build_file, "built"), (tmp_path / "c.duckdb", "audited")):
        with duckdb.connect(str(path)) as con:
            con.execute("create table segments as select ? as a", [value])
    with duckdb.connect(str(settings.build_file)) as con:
        con.execute("create table channels as select 'mail' as channel")
    with built_tables(settings, tmp_path / "c.duckdb") as con:
        assert con.execute("from segments").fetchall() == [("audited",)]
        assert con.execute("from channels").fetchall() == [("mail",)]


def test_a_view_is_read_like_a_table(tmp_path: Path) -> None:
    import duckdb

    settings = settings_in(tmp_path)
    settings.build_file.parent.mkdir()
    with duckdb.connect(str(settings.build_file)) as con:
        con.execute("create table segments as select 1 as a")
        # As dbt writes it.
        con.execute('create view latest as select a from "warehouse"."main"."segments"')
    with built_tables(settings) as con:
        assert con.execute("from latest").fetchall() == [(1,)]


def test_the_day_of_a_refresh_is_given_or_the_day_after_the_last_line(tmp_path: Path) -> None:
    import duckdb

    settings = settings_in(tmp_path)
    with duckdb.connect() as con:
        con.execute("create table stg_order_lines (ordered_on date, is_counted boolean)")
        with pytest.raises(NotBuilt, match="no last order line"):
            refresh_day(con, settings)
        # A cancelled order says no day.
        con.execute(
            "insert into stg_order_lines values ('2026-02-28', true), ('2026-02-03', true), ('2026-03-09', false)"
        )
        assert refresh_day(con, settings) == date(2026, 3, 1)
        assert refresh_day(con, replace(settings, as_of=date(2026, 1, 15))) == date(2026, 1, 15)


def history_built(settings: Settings) -> None:
    import duckdb

    settings.build_file.parent.mkdir()
    with duckdb.connect(str(settings.build_file)) as con:
        con.execute(
            "create table int_as_of_dates as from (values"
            " (date '2026-01-01', true, false), ('2026-02-01', true, false),"
            " ('2026-01-20', false, false), ('2026-02-10', true, true)) as t(as_of, is_history_grid, is_current)"
        )
        con.execute("create table int_memberships as select as_of from int_as_of_dates, range(3)")


def test_each_past_date_of_the_grid_becomes_a_partition_once(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    history_built(settings)
    found = list(history_partitions(settings, {"2026-01-01"}))
    assert [(event.partition, event.metadata["dagster/partition_row_count"].value) for event in found] == [
        ("2026-02-01", 3)
    ]


def test_where_no_memberships_were_built_there_are_no_partitions(tmp_path: Path) -> None:
    import duckdb

    settings = settings_in(tmp_path)
    assert list(history_partitions(settings, set())) == []
    settings.build_file.parent.mkdir()
    duckdb.connect(str(settings.build_file)).close()
    assert list(history_partitions(settings, set())) == []


def small_project(folder: Path) -> Path:
    (folder / "models").mkdir()
    (folder / "dbt_project.yml").write_text("name: x\nvars:\n  keep_versions: 7\n")
    (folder / "models" / "a.sql").write_text("select 1")
    return folder


def test_the_manifest_is_out_of_date_when_a_file_changes_appears_or_goes(tmp_path: Path) -> None:
    project = small_project(tmp_path)
    seen = [fingerprint(settings_in(tmp_path), project)]
    (project / "models" / "a.sql").write_text("select 2")
    seen.append(fingerprint(settings_in(tmp_path), project))
    (project / "models" / "b.sql").write_text("select 2")
    seen.append(fingerprint(settings_in(tmp_path), project))
    (project / "models" / "a.sql").unlink()
    seen.append(fingerprint(settings_in(tmp_path), project))
    assert len(set(seen)) == 4


def test_the_manifest_is_not_out_of_date_for_a_touched_file(tmp_path: Path) -> None:
    project = small_project(tmp_path)
    before = fingerprint(settings_in(tmp_path), project)
    (project / "models" / "a.sql").touch()
    assert fingerprint(settings_in(tmp_path), project) == before


def test_vars_are_read_from_the_project_file(tmp_path: Path) -> None:
    assert project_vars(settings_in(tmp_path), small_project(tmp_path)) == {"keep_versions": 7}


def test_the_manifest_of_a_copied_project_is_out_of_date(tmp_path: Path) -> None:
    for name in ("original", "copied"):
        (tmp_path / name).mkdir()
    digests = {fingerprint(settings_in(tmp_path), small_project(tmp_path / name)) for name in ("original", "copied")}
    assert len(digests) == 2


def test_what_users_keep_outside_is_in_the_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "channels.csv").write_text("channel,label,description\npigeon,Pigeon,By air.\n")
    (tmp_path / "settings.yml").write_text("contact_cap: 2\n")
    settings = replace(
        settings_in(tmp_path / "wh"), settings_file=tmp_path / "settings.yml", own_seeds_dir=tmp_path / "seeds"
    )
    manifest = read_manifest(manifest_path(settings))
    seed = manifest["nodes"]["seed.segments_in_use.channels"]
    assert (PROJECT_DIR / seed["original_file_path"]).resolve() == tmp_path / "wh" / "seeds" / "channels.csv"
    before = fingerprint(settings)
    (tmp_path / "settings.yml").write_text("contact_cap: 3\n")
    assert fingerprint(settings) != before
    assert build_arguments("duckdb", own_vars=["--vars", "{}"])[-2:] == ["--vars", "{}"]
