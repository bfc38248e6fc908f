"""What kept tables are made from: which files decide, what changes the key and the hash of a file, and their note."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from orchestration.landing import inputs
from orchestration.landing.inputs import build_key, key_files, landed_files, note_inputs
from orchestration.landing.land import LandedFile, LandingReport
from orchestration.settings import PROJECT_DIR, Settings, read_settings

Change = Callable[[Path], object]


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


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the build key is made of, and of some that it is not."""
    copy = tmp_path_factory.mktemp("copy") / "project"
    for folder in ("macros", "models", "seeds"):
        shutil.copytree(PROJECT_DIR / folder, copy / folder)
    shutil.copy(PROJECT_DIR / "dbt_project.yml", copy)
    return copy


@pytest.fixture
def project(untouched: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(untouched, tmp_path / "project"))


def put(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def appended(path: str, text: str) -> Change:
    """A change of a file of the project: `text` comes after what is there, if anything is."""

    def change(project: Path) -> None:
        file = project / path
        put(file, (file.read_text(encoding="utf-8") if file.exists() else "") + text)

    return change


def setting(line: str, other: str) -> Change:
    """A change of dbt_project.yml: `line`, which must be there once, becomes `other`."""

    def change(project: Path) -> None:
        file = project / "dbt_project.yml"
        text = file.read_text(encoding="utf-8")
        assert text.count(line) == 1
        file.write_text(text.replace(line, other), encoding="utf-8")

    return change


# ---- the build key --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(setting("rfm_window_days: 365", "rfm_window_days: 366"), id="a var"),
        pytest.param(
            setting("+materialized: table\n      +tags: [staging]", "+materialized: view"), id="a configuration"
        ),
        pytest.param(appended("macros/engine/hashing.sql", "\n"), id="a macro"),
        pytest.param(appended("macros/new.sql", "{% macro new() %}{% endmacro %}"), id="a new macro"),
        pytest.param(appended("models/staging/_landing__sources.yml", "\n"), id="the input contract"),
        pytest.param(appended("models/staging/base_order_lines.sql", "\n"), id="a staging model"),
        pytest.param(appended("models/intermediate/int_baskets.sql", "\n"), id="an intermediate model"),
        pytest.param(appended("models/intermediate/affinities/int_basket_numbers.sql", "\n"), id="one in a folder"),
        pytest.param(appended("models/marts/segments/schemes/rfm.sql", "\n"), id="a scheme"),
        pytest.param(appended("seeds/rfm_grid.csv", "\n"), id="a seed"),
        pytest.param(lambda project: (project / "models/intermediate/int_buyers.sql").unlink(), id="a file less"),
        pytest.param(
            lambda project: (project / "macros/kept.sql").rename(project / "macros/held.sql"), id="another file name"
        ),
    ],
)
def test_the_key_changes_with(settings: Settings, project: Path, change: Change) -> None:
    before = build_key(settings, {}, project)
    change(project)
    assert build_key(settings, {}, project) != before


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda project: None, id="nothing"),
        pytest.param(setting('as_of: ""', 'as_of: "2026-01-31"'), id="the as-of date"),
        pytest.param(setting("history_grid: month", "history_grid: week"), id="the grid"),
        pytest.param(setting("# 365: a year", "# 365: one year"), id="a comment of a var"),
        pytest.param(appended("seeds/treatments.csv", "\n"), id="a treatment"),
        pytest.param(appended("seeds/personas.csv", "\n"), id="a persona"),
        pytest.param(appended("models/marts/segments/segments.sql", "\n"), id="a mart"),
        pytest.param(appended("macros/notes.md", "x"), id="a note beside the macros"),
        pytest.param(lambda project: os.utime(project / "seeds/rfm_grid.csv"), id="the time of a file"),
    ],
)
def test_the_key_does_not_change_with(settings: Settings, project: Path, change: Change) -> None:
    before = build_key(settings, {}, project)
    change(project)
    assert build_key(settings, {}, project) == before


def test_the_key_does_not_depend_on_the_folder(settings: Settings, project: Path) -> None:
    assert build_key(settings, {}, project) == build_key(settings, {})


def test_the_key_changes_with_the_time_zone(settings: Settings) -> None:
    assert build_key(replace(settings, store_timezone="UTC"), {}) != build_key(settings, {})


def test_the_key_does_not_change_with_the_as_of_date_of_the_environment(settings: Settings) -> None:
    dated = read_settings({**settings.environment(), "LANDING_DIR": "", "AS_OF": "2026-01-31"})
    assert dated.as_of is not None
    assert build_key(dated, {}) == build_key(settings, {})


def test_vars_of_the_command_line_go_before_those_of_the_project(settings: Settings, project: Path) -> None:
    by_command = build_key(settings, {"rfm_window_days": 366}, project)
    assert by_command != build_key(settings, {}, project)
    setting("rfm_window_days: 365", "rfm_window_days: 366")(project)
    assert by_command == build_key(settings, {}, project)
    assert build_key(settings, {"as_of": "2026-01-31"}, project) == build_key(settings, {}, project)


def test_the_key_changes_with_the_version_of_the_engine(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    before = build_key(settings, {})
    monkeypatch.setattr(inputs, "version", lambda name: "99.9" if name == "duckdb" else "1.11")
    assert build_key(settings, {}) != before


# ---- which files decide, held against dbt's own graph ----------------------------------------------------------------


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    # Parses the dbt project when its manifest is out of date: some seconds.
    from orchestration.definitions import manifest

    return dict(manifest)


def kept_models(manifest: dict[str, Any]) -> list[str]:
    return [
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["config"]["materialized"] == "incremental"
    ]


def ancestors(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The kept models and all that they are made of: models, seeds, sources, and macros, however far up."""
    waiting, seen = kept_models(manifest), set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        node = manifest["nodes"].get(name) or manifest["sources"].get(name) or manifest["macros"].get(name)
        assert node is not None, name
        waiting += node.get("depends_on", {}).get("nodes", []) + node.get("depends_on", {}).get("macros", [])
        yield node


def own(node: dict[str, Any]) -> bool:
    """Whether a node is of this project; the macros of dbt and its adapter change with their versions."""
    return bool(node["package_name"] == "segments_in_use")


def test_all_that_a_kept_table_is_made_of_is_in_the_key(manifest: dict[str, Any]) -> None:
    decided = {path.relative_to(PROJECT_DIR).as_posix() for path in key_files()}
    found = {node["original_file_path"] for node in ancestors(manifest) if own(node)}
    assert {Path(path).parts[0] for path in found} == {"macros", "models", "seeds"}
    assert sorted(found - decided) == []


def test_files_that_describe_what_a_kept_table_is_made_of_are_in_the_key(manifest: dict[str, Any]) -> None:
    """A description may hold a configuration, and the contract of the landing zone is one."""
    decided = {path.relative_to(PROJECT_DIR).as_posix() for path in key_files()}
    described = {
        node["patch_path"].partition("://")[2]
        for node in ancestors(manifest)
        if own(node) and node.get("patch_path") and node["resource_type"] != "macro"
    }
    assert sorted(described - decided) == []


def test_only_the_model_of_the_dates_reads_what_is_not_in_the_key(manifest: dict[str, Any]) -> None:
    reads = re.compile(r"as_of_setting|history_grid'|reads_demo|env_var\(")
    readers = {
        node["name"]
        for node in ancestors(manifest)
        if own(node) and node["resource_type"] == "model" and reads.search(node["raw_code"])
    }
    assert readers == {"int_as_of_dates"}


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


def test_the_note_has_a_row_a_landed_file_and_the_key(settings: Settings, report: LandingReport) -> None:
    note_inputs(settings, report)
    key = build_key(settings, {})
    expected = [
        {"source_table": table, "source_file": source_file, "made_from": made_from, "build_key": key}
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


def test_the_note_follows_the_vars_of_the_command_line(settings: Settings, report: LandingReport) -> None:
    note_inputs(settings, report)
    note_inputs(settings, report, {"rfm_window_days": 30})
    assert {row["build_key"] for row in noted(settings)} == {build_key(settings, {"rfm_window_days": 30})}
