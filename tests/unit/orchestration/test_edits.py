"""What an edit reaches, and what makes a build doubtful as a whole."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestration.settings import PROJECT_DIR, Settings, read_settings
from orchestration.warehouse import edits
from orchestration.warehouse.dbt_arguments import build_arguments
from orchestration.warehouse.edits import LOOKS_AT_READERS, MadeFrom, Note

# seed -> staging model -> mart, each with tests; the state -> another mart; a kept reader of the tables of categories.
PARENTS: dict[str, list[str]] = {
    "seed.shop.rules": [],
    "seed.shop.words": [],
    "model.shop.stg_lines": ["source.shop.landing.order_lines"],
    "model.shop.stg_rules": ["seed.shop.rules"],
    f"model.shop.{LOOKS_AT_READERS}": ["model.shop.stg_lines"],
    "model.shop.int_customer_categories": [f"model.shop.{LOOKS_AT_READERS}"],
    "model.shop.interest": ["model.shop.int_customer_categories", "seed.shop.words"],
    "model.shop.other_interest": ["model.shop.int_customer_categories"],
    "model.shop.segments": ["model.shop.stg_rules", "model.shop.stg_lines"],
    "model.shop.totals": ["model.shop.stg_lines"],
    "model.shop.assigned": ["source.shop.state.treatment_assignments"],
    "test.shop.rules_hold": ["seed.shop.rules"],
    "test.shop.lines_hold": ["model.shop.stg_lines"],
    "test.shop.segments_of_lines": ["model.shop.segments", "model.shop.totals"],
    "test.shop.totals_hold": ["model.shop.totals"],
    "test.shop.categories_hold": ["model.shop.int_customer_categories"],
}


def manifest() -> dict[str, Any]:
    nodes, children = {}, {id: [] for id in PARENTS}
    for id, parents in PARENTS.items():
        kind, _, name = id.split(".")
        folder = "models/staging" if name.startswith("stg_") else "models/marts"
        # A seed of dbt's depends on no nodes, and does not say so.
        depends = {"macros": []} if kind == "seed" else {"nodes": parents}
        nodes[id] = {
            "resource_type": kind,
            "original_file_path": f"seeds/{name}.csv" if kind == "seed" else f"{folder}/{name}.sql",
            "depends_on": depends,
            "fqn": ["shop", name],
        }
        for parent in parents:
            children.setdefault(parent, []).append(id)
    sources = {
        "source.shop.landing.order_lines": {"source_name": "landing", "name": "order_lines"},
        "source.shop.state.treatment_assignments": {"source_name": "state", "name": "treatment_assignments"},
    }
    return {"metadata": {"project_name": "shop"}, "nodes": nodes, "sources": sources, "child_map": children}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "zone").mkdir()
    found = read_settings({"LANDING_DIR": str(tmp_path / "zone"), "WAREHOUSE_DIR": str(tmp_path / "wh")})
    found.build_file.parent.mkdir(parents=True)
    found.build_file.write_bytes(b"built")
    return found


BEFORE = MadeFrom("the same", {"rules": "1", "words": "1"}, {"treatment_assignments": "1"})


def note(settings: Settings, made: MadeFrom = BEFORE) -> Note:
    return Note("r1", made, edits.build_file_look(settings))


def selected(settings: Settings, now: MadeFrom) -> dict[str, set[str]]:
    found = edits.edit(settings, manifest(), now, note(settings))
    assert found is not None
    return {half: {id.removeprefix("model.shop.") for id in ids} for half, ids in found.selected.items()}


def test_a_seed_reaches_what_is_made_from_it_and_every_test_that_touches_that(settings: Settings) -> None:
    now = replace(BEFORE, seeds={"rules": "2", "words": "1"})
    assert selected(settings, now) == {
        "staging": {"seed.shop.rules", "stg_rules", "test.shop.rules_hold"},
        # Its other table is not built now, and is read all the same.
        "marts": {"segments", "test.shop.segments_of_lines"},
    }


def test_the_state_of_earlier_refreshes_reaches_its_readers(settings: Settings) -> None:
    now = replace(BEFORE, state={"treatment_assignments": "2"})
    assert selected(settings, now) == {"staging": set(), "marts": {"assigned"}}


def test_nothing_changed_is_nothing_to_build(settings: Settings) -> None:
    assert selected(settings, BEFORE) == {"staging": set(), "marts": set()}


def test_a_reader_of_categories_gets_its_dates_again(settings: Settings) -> None:
    now = replace(BEFORE, seeds={"rules": "1", "words": "2"})
    assert selected(settings, now)["marts"] == {
        LOOKS_AT_READERS,
        "int_customer_categories",
        "interest",
        "test.shop.categories_hold",
    }


@pytest.mark.parametrize(
    "now",
    [
        replace(BEFORE, common="another"),
        replace(BEFORE, seeds={"rules": "1"}),
        replace(BEFORE, seeds={**BEFORE.seeds, "new": "1"}),
    ],
)
def test_whatever_is_doubtful_is_a_full_build(settings: Settings, now: MadeFrom) -> None:
    assert edits.edit(settings, manifest(), now, note(settings)) is None


def test_a_build_file_that_somebody_wrote_is_a_full_build(settings: Settings) -> None:
    left = note(settings)
    settings.build_file.write_bytes(b"written by hand")
    assert edits.edit(settings, manifest(), BEFORE, left) is None


def test_a_journal_beside_the_build_file_is_a_full_build(settings: Settings) -> None:
    left = note(settings)
    settings.build_file.with_name("warehouse.duckdb.wal").write_bytes(b"open")
    assert edits.edit(settings, manifest(), BEFORE, left) is None


def test_without_a_note_and_on_spark_everything_is_built(settings: Settings) -> None:
    assert edits.edit(settings, manifest(), BEFORE, None) is None
    assert edits.edit(replace(settings, dbt_target="spark"), manifest(), BEFORE, note(settings)) is None


def test_a_note_is_read_as_it_was_written_and_forgotten(settings: Settings) -> None:
    checks = [{"asset": ["t"], "name": "c", "passed": False, "severity": "WARN", "description": None, "metadata": {}}]
    # It ran twice, because its step was tried again.
    edits.write_note(settings, "r1", BEFORE, [{**checks[0], "passed": True}, *checks])
    found = edits.read_note(settings)
    assert found is not None
    assert (found.refresh_id, found.made_from, list(found.checks)) == ("r1", BEFORE, checks)
    assert edits.edit(settings, manifest(), BEFORE, found) is not None
    edits.forget_note(settings)
    assert edits.read_note(settings) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"form": 0}', '{"form": 1}'])
def test_a_note_that_cannot_be_read_is_none(settings: Settings, text: str) -> None:
    settings.build_file.with_name(edits.NOTE_NAME).write_text(text)
    assert edits.read_note(settings) is None


def test_landed_files_seeds_settings_and_state_are_told_apart(settings: Settings) -> None:
    settings.landed_dir.mkdir(parents=True)
    first = edits.made_from(settings, "zone 1")
    assert edits.made_from(settings, "zone 1") == first
    assert edits.made_from(settings, "zone 2").common != first.common
    assert edits.made_from(replace(settings, store_timezone="Asia/Tokyo"), "zone 1").common != first.common
    (settings.landed_dir / "file.parquet").write_bytes(b"a person less")
    assert edits.made_from(settings, "zone 1").common != first.common
    settings.state_dir.mkdir()
    (settings.state_dir / "treatment_assignments.parquet").write_bytes(b"drawn")
    assert set(edits.made_from(settings, "zone 1").state) == {"treatment_assignments"}
    assert first.state == {}


def test_what_an_edit_builds_is_named_and_nothing_is_added() -> None:
    nodes = [manifest()["nodes"][id] for id in ("model.shop.segments", "test.shop.totals_hold")]
    arguments = build_arguments("duckdb", only=nodes)
    assert arguments[arguments.index("--select") + 1] == "fqn:shop.segments fqn:shop.totals_hold"
    assert arguments[arguments.index("--indirect-selection") + 1] == "empty"


def test_no_other_model_looks_at_tables_that_are_no_edge_of_the_graph() -> None:
    looking = {
        path.stem
        for path in (PROJECT_DIR / "models").rglob("*.sql")
        if re.search(r"adapter\.get_relation|load_relation|information_schema|graph\.nodes", path.read_text())
    }
    assert looking == {LOOKS_AT_READERS}
