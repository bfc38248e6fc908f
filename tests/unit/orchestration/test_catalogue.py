"""What the catalogue shows of assets and checks: owners, groups, links, columns, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey, DagsterInstance, Definitions, asset, define_asset_job

from orchestration.defs.run import DEFINITIONS, in_code_location
from orchestration.defs.translator import group_name, owners
from orchestration.warehouse.checks import advice, description


@pytest.fixture(scope="module")
def defs() -> Any:
    # Parses the dbt project when its manifest is out of date: some seconds.
    from orchestration.definitions import defs

    return defs


@pytest.fixture(scope="module")
def nodes(defs: Any) -> dict[str, Any]:
    return {node.key.to_user_string(): node for node in defs.resolve_asset_graph().asset_nodes}


def test_every_published_table_is_an_asset_with_its_columns(nodes: dict[str, Any]) -> None:
    from orchestration.definitions import manifest
    from orchestration.publication.ddl import published_tables

    for table in published_tables(manifest).values():
        node = nodes[table.name]
        assert "published" in node.tags and node.description, table.name
        shown = node.metadata["dagster/column_schema"]
        assert [column.name for column in shown.columns] == list(table.columns), table.name
    assert nodes["scheme_scorecard"].parent_keys == {AssetKey("candidate")}
    assert "published" not in nodes["int_members"].tags


def test_every_asset_has_an_owner_a_kind_and_a_description(nodes: dict[str, Any]) -> None:
    assert [name for name, n in nodes.items() if not (n.owners and n.kinds and n.description)] == []
    assert list(nodes["treatment_assignments"].owners) == ["team:marketing"]
    assert list(nodes["segments"].owners) == ["team:data-engineering"]


def test_links_lead_to_files_that_are_there(nodes: dict[str, Any]) -> None:
    for name, node in nodes.items():
        if "docs" in node.metadata:
            assert Path(node.metadata["docs"].value).is_file(), name
        if "dagster/code_references" in node.metadata:
            (reference,) = node.metadata["dagster/code_references"].code_references
            assert Path(reference.file_path).is_file(), name
    assert "dagster/code_references" in nodes["segments"].metadata
    assert [name for name, node in nodes.items() if "docs" not in node.metadata] == []


def test_intermediate_models_are_grouped_by_what_they_are_about(nodes: dict[str, Any]) -> None:
    for name, about in {
        "int_baskets": "orders",
        "int_customers": "members",
        "int_rfm_scores": "behaviour",
        "int_memberships": "memberships",
        "int_as_of_dates": "clocks",
        "int_prospect_profiles": "profiles",
        "int_item_pairs": "affinities",
    }.items():
        assert nodes[name].group_name == f"intermediate_{about}", name


def node(path: str, kind: str = "model") -> dict[str, Any]:
    return {"resource_type": kind, "name": Path(path).stem, "original_file_path": path}


def test_a_group_is_a_folder_and_seeds_are_whose_words_they_are() -> None:
    assert group_name(node("models/intermediate/int_weather.sql")) == "intermediate"
    assert group_name(node("models/intermediate/weather/int_rain.sql")) == "intermediate_weather"
    assert owners(node("seeds/treatments.csv", "seed")) == ["team:marketing"]
    assert owners(node("seeds/spellings.csv", "seed")) == ["team:data-engineering"]


def test_every_check_says_what_it_checks_and_what_to_do(defs: Any) -> None:
    graph = defs.resolve_asset_graph()
    said = {key: graph.get_check_spec(key).description or "" for key in graph.asset_check_keys}
    assert len(said) > 200
    # Two sentences at least: what must hold, and what to do or what is stopped.
    assert [key for key, words in said.items() if words.count(".") < 2 or len(words) < 60] == []


def test_tests_without_a_description_are_told_by_their_comment_or_their_columns() -> None:
    def test(**said: Any) -> str | None:
        return description({"nodes": {"t": {"package_name": "p", **said}}, "macros": {}}, "t")

    assert test(raw_code="{# No circle.\n   None at all.\n\n   Why. #}\nselect 1") == "No circle. None at all."
    assert test(raw_code="-- A share\n-- is a share.\nselect 1 -- x") == "A share is a share."
    assert test(raw_code="select 1") is None
    named = {"name": "accepted_values", "kwargs": {"column_name": "a", "values": ["x", "y"]}}
    assert test(test_metadata=named) == "a: one of x, y"
    assert test(test_metadata={"name": "not_null", "kwargs": {"column_name": "a"}}) == "a: not null"
    assert test(test_metadata=named, description="Said.") == "Said."


@pytest.mark.parametrize(("severity", "stops"), [("ERROR", True), ("warn", False), ("WARN", False)])
def test_a_check_says_whether_it_stops_the_refresh(severity: str, stops: bool) -> None:
    words = advice({"nodes": {"t": {"name": "some_test", "config": {"severity": severity}}}}, "t")
    assert ("stops the refresh" in words) == stops
    assert "--select some_test`" in words


def test_a_run_in_this_process_belongs_to_the_code_location_of_the_ui() -> None:
    @asset
    def one() -> None: ...

    job = Definitions([one], jobs=[define_asset_job("refresh", [one])]).resolve_job_def("refresh")
    with DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=in_code_location(instance), tags={"a": "b"})
        run = instance.get_run_by_id(result.run_id)
    assert run is not None and run.remote_job_origin is not None
    assert run.remote_job_origin.location_name == DEFINITIONS
    assert run.remote_job_origin.repository_origin.get_label() == f"__repository__@{DEFINITIONS}"
    assert run.remote_job_origin.job_name == "refresh"
    assert run.tags["a"] == "b"
