"""The whole graph, without running it: every name that is depended on exists, and each gate stands where it should."""

from __future__ import annotations

import pytest
from dagster import AssetKey, DefaultScheduleStatus, DefaultSensorStatus


@pytest.fixture(scope="module")
def defs():  # type: ignore[no-untyped-def]
    # Parses the dbt project when its manifest is out of date: some seconds.
    from orchestration.definitions import defs

    return defs


@pytest.fixture(scope="module")
def graph(defs):  # type: ignore[no-untyped-def]
    return defs.resolve_asset_graph()


def test_every_dependency_is_an_asset_that_is_made(graph) -> None:  # type: ignore[no-untyped-def]
    named = {key for node in graph.asset_nodes for key in node.parent_keys}
    assert {k.to_user_string() for k in named - graph.materializable_asset_keys} == set()


def test_every_check_is_on_an_asset_that_is_made(graph) -> None:  # type: ignore[no-untyped-def]
    checked = {key.asset_key for key in graph.asset_check_keys}
    assert checked <= graph.materializable_asset_keys


def test_every_model_is_in_one_of_the_halves(graph) -> None:  # type: ignore[no-untyped-def]
    from orchestration.definitions import manifest

    models = {
        AssetKey(node["alias"]) for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed")
    }
    assert models <= graph.materializable_asset_keys


def test_the_candidate_waits_for_every_model(graph) -> None:  # type: ignore[no-untyped-def]
    made = graph.materializable_asset_keys - {
        AssetKey(k) for k in ("landing", "candidate", "audience_export", "report", "published", "history")
    }
    assert graph.get(AssetKey("candidate")).parent_keys == made


def test_nothing_is_published_before_the_candidate_its_export_and_its_report(graph) -> None:  # type: ignore[no-untyped-def]
    assert graph.get(AssetKey("published")).parent_keys == {
        AssetKey("candidate"),
        AssetKey("audience_export"),
        AssetKey("report"),
    }


def test_dbt_tests_of_severity_error_block(defs) -> None:  # type: ignore[no-untyped-def]
    specs = {
        spec.name: spec for definition in defs.resolve_asset_graph().assets_defs for spec in definition.check_specs
    }
    tests = [
        s for name, s in specs.items() if name.startswith(("columns_hold_customer_segments", "unique_combination"))
    ]
    assert len(tests) > 50 and all(s.blocking for s in tests)
    (columns,) = (s for s in tests if s.name.startswith("columns_hold_customer_segments_"))
    assert "evidence: not null, one of observed, declared, inferred, unknown" in columns.description
    assert all(s.description for s in tests)


def test_the_job_holds_every_step(defs) -> None:  # type: ignore[no-untyped-def]
    steps = {node.name for node in defs.resolve_job_def("refresh").nodes}
    from orchestration.terminal import AFTERWARDS, STEPS

    # What is published elsewhere too is a step only where it is asked for.
    assert steps == set(STEPS) - set(AFTERWARDS)


def test_what_is_published_elsewhere_too_is_a_step_where_it_is_asked_for() -> None:
    from orchestration.defs.hand_over import hand_over_assets
    from orchestration.defs.postgres import postgres_assets
    from orchestration.terminal import AFTERWARDS

    asked = {"PUBLISH_POSTGRES_DSN": "host=x", "AUDIENCE_TARGET": "/tmp/x"}
    found = [*postgres_assets(asked), *hand_over_assets(asked)]
    assert [asset.key.to_user_string() for asset in found] == list(AFTERWARDS)
    for asset in found:
        assert asset.dependency_keys == {AssetKey("published")}
    assert postgres_assets({"PUBLISH_POSTGRES_DSN": " "}) == [] and hand_over_assets({}) == []


def test_the_daily_schedule_is_off_until_someone_switches_it_on(defs) -> None:  # type: ignore[no-untyped-def]
    schedule = defs.resolve_schedule_def("daily")
    assert schedule.default_status == DefaultScheduleStatus.STOPPED
    assert schedule.job_name == "refresh"
    assert schedule.execution_timezone is None and "05:00 UTC" in schedule.description


def test_the_sensor_of_the_landing_zone_is_off_until_someone_switches_it_on(defs) -> None:  # type: ignore[no-untyped-def]
    sensor = defs.resolve_sensor_def("landing_zone")
    assert sensor.default_status == DefaultSensorStatus.STOPPED
    assert sensor.job_name == "refresh"


def test_failures_are_told_as_soon_as_the_daemon_runs(defs) -> None:  # type: ignore[no-untyped-def]
    assert defs.resolve_sensor_def("failure_alert").default_status == DefaultSensorStatus.RUNNING


def test_what_is_published_has_a_freshness_policy(graph) -> None:  # type: ignore[no-untyped-def]
    policy = graph.get(AssetKey("published")).freshness_policy
    assert policy is not None and policy.fail_window.to_timedelta().total_seconds() == 50 * 3600
