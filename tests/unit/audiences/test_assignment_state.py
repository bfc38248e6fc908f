"""What is remembered of assignments: added to on publication, never changed, found again after an interruption."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.publication.commands import main
from orchestration.publication.postgres.server import PUBLISH_POSTGRES_DSN
from orchestration.publication.publish import CheckCounts
from orchestration.publication.refreshes import RowAccount, known_refreshes, note, refresh_row
from orchestration.settings import Settings, read_settings
from orchestration.storage.assignments import (
    SCHEMA,
    note_assignments,
    noted_refresh,
    prepare_state,
    state_file,
)

Row = tuple[str, str, str]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings({"WAREHOUSE_DIR": str(tmp_path / "warehouse")})


def version(settings: Settings, name: str, rows: dict[str, str], *, is_demo: bool = False, link: bool = True) -> Path:
    """A published version in which each member of `rows` has the arm given; assigned on the day in its name."""
    folder = settings.versions_dir / name
    (folder / "parquet").mkdir(parents=True)
    (folder / "audiences").mkdir()
    (folder / "audiences" / "summary.json").write_text(json.dumps({"is_demo": is_demo}))
    table = [
        {
            "scheme": "rfm",
            "member_id": member,
            "treatment_id": "t",
            "segment": "best",
            "arm": arm,
            "assigned_on": date.fromisoformat(name[:10]),
            "share_treated": 0.9,
            "origin": "drawn",
            "is_eligible": True,
            "segments": ";rfm=best;",
            "is_current": True,
        }
        for member, arm in rows.items()
    ]
    columns = pa.schema([f for f in SCHEMA if f.name != "is_demo"] + [pa.field("is_current", pa.bool_())])
    pq.write_table(pa.Table.from_pylist(table, schema=columns), folder / "parquet" / "treatment_assignments.parquet")
    if link:
        settings.published_link.unlink(missing_ok=True)
        settings.published_link.symlink_to(folder)
    return folder


def known(settings: Settings, *, is_demo: bool = False) -> dict[str, tuple[str, str]]:
    rows = pq.read_table(state_file(settings)).to_pylist()
    mine = [row for row in rows if row["is_demo"] == is_demo]
    return {row["member_id"]: (row["arm"], row["assigned_on"].isoformat()) for row in mine}


def test_before_the_first_refresh_there_is_an_empty_file_that_dbt_can_read(settings: Settings) -> None:
    prepare_state(settings)
    table = pq.read_table(state_file(settings))
    assert (table.num_rows, table.schema.names) == (0, SCHEMA.names)


def test_a_publication_adds_and_never_changes(settings: Settings) -> None:
    prepare_state(settings)
    assert note_assignments(settings, version(settings, "2026-01-01", {"ann": "treated"})) == 1
    assert note_assignments(settings, version(settings, "2026-02-01", {"ann": "holdout", "bob": "holdout"})) == 1
    assert known(settings) == {"ann": ("treated", "2026-01-01"), "bob": ("holdout", "2026-02-01")}
    assert noted_refresh(state_file(settings)) == "2026-02-01"


def test_noting_a_publication_twice_adds_nothing(settings: Settings) -> None:
    folder = version(settings, "2026-01-01", {"ann": "treated"})
    note_assignments(settings, folder)
    before = state_file(settings).read_bytes()
    assert note_assignments(settings, folder) == 0
    assert state_file(settings).read_bytes() == before


def test_a_version_that_was_never_linked_leaves_no_trace(settings: Settings) -> None:
    note_assignments(settings, version(settings, "2026-01-01", {"ann": "treated"}))
    version(settings, "2026-02-01", {"bob": "treated"}, link=False)
    prepare_state(settings)
    assert set(known(settings)) == {"ann"}


def test_a_stop_between_publishing_and_noting_loses_nothing(settings: Settings) -> None:
    prepare_state(settings)
    version(settings, "2026-01-01", {"ann": "holdout"})
    prepare_state(settings)
    assert known(settings) == {"ann": ("holdout", "2026-01-01")}


def test_going_back_to_an_earlier_version_keeps_what_was_drawn(settings: Settings) -> None:
    first = version(settings, "2026-01-01", {"ann": "treated"})
    note_assignments(settings, first)
    note_assignments(settings, version(settings, "2026-02-01", {"bob": "holdout"}))
    before = state_file(settings).read_bytes()
    settings.published_link.unlink()
    settings.published_link.symlink_to(first)
    prepare_state(settings)
    assert state_file(settings).read_bytes() == before


def two_published(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The second of two versions, which is published and not noted."""
    monkeypatch.setenv("WAREHOUSE_DIR", str(settings.warehouse_dir))
    monkeypatch.delenv(PUBLISH_POSTGRES_DSN, raising=False)
    started = datetime(2026, 2, 1, tzinfo=UTC)
    for name, replaced, arms in (
        ("2026-01-01", None, {"ann": "treated"}),
        ("2026-02-01", "2026-01-01", {"bob": "holdout"}),
    ):
        folder = version(settings, name, arms)
        manifest = {"refresh_id": name, "as_of": name, "replaces": replaced}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        row = refresh_row(name, started.date(), started, started, RowAccount(1, 1, 0, 0), CheckCounts())
        pq.write_table(row, folder / "parquet" / "refreshes.parquet")
        if replaced is None:
            note(settings, row)
            note_assignments(settings, folder)
    return folder


def test_a_stop_before_noting_and_then_a_rollback_lose_neither_the_refresh_nor_its_arms(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_published(settings, monkeypatch)
    assert main(["rollback"]) == 0
    assert settings.published_link.resolve().name == "2026-01-01"
    prepare_state(settings)
    assert known(settings) == {"ann": ("treated", "2026-01-01"), "bob": ("holdout", "2026-02-01")}
    assert known_refreshes(settings)["refresh_id"].to_pylist() == ["2026-01-01", "2026-02-01"]


@pytest.mark.parametrize("damaged", ["refreshes", "treatment_assignments"])
def test_a_version_whose_tables_are_damaged_is_rolled_back_and_the_other_one_noted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], damaged: str
) -> None:
    folder = two_published(settings, monkeypatch)
    (folder / "parquet" / f"{damaged}.parquet").write_bytes(b"PAR1 torn")
    assert main(["rollback"]) == 0
    assert settings.published_link.resolve().name == "2026-01-01"
    said = {"refreshes": "that 2026-02-01 was published", "treatment_assignments": "what 2026-02-01 assigned"}
    assert capsys.readouterr().err.startswith(f"warning: not noted {said[damaged]}: ")
    assert ("bob" in known(settings)) == (damaged == "refreshes")
    assert ("2026-02-01" in known_refreshes(settings)["refresh_id"].to_pylist()) == (damaged != "refreshes")


def test_a_rollback_does_not_write_assignments_that_are_noted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    note_assignments(settings, two_published(settings, monkeypatch))
    before = state_file(settings).stat().st_ino
    assert main(["rollback"]) == 0
    assert state_file(settings).stat().st_ino == before


def test_the_demos_members_are_kept_apart_from_ones_own(settings: Settings) -> None:
    note_assignments(settings, version(settings, "2026-01-01", {"1": "treated"}, is_demo=True))
    note_assignments(settings, version(settings, "2026-02-01", {"1": "holdout"}))
    assert known(settings, is_demo=True) == {"1": ("treated", "2026-01-01")}
    assert known(settings) == {"1": ("holdout", "2026-02-01")}


def test_a_member_who_left_the_published_table_is_still_remembered(settings: Settings) -> None:
    note_assignments(settings, version(settings, "2026-01-01", {"ann": "treated"}))
    note_assignments(settings, version(settings, "2026-02-01", {"bob": "treated"}))
    assert set(known(settings)) == {"ann", "bob"}


def test_a_file_and_a_version_of_an_earlier_release_keep_their_rows_and_get_the_new_columns(settings: Settings) -> None:
    old = [name for name in SCHEMA.names if name not in ("sends_treatment_id", "share_uniform", "share_programme")]
    folder = version(settings, "2026-03-01T00", {"ann": "treated", "bob": "holdout"})
    prepare_state(settings)
    table = pq.read_table(state_file(settings))
    pq.write_table(table.select(old), state_file(settings))
    published = folder / "parquet" / "treatment_assignments.parquet"
    pq.write_table(
        pq.read_table(published).drop_columns(["sends_treatment_id", "share_uniform", "share_programme"]), published
    )
    prepare_state(settings)
    upgraded = pq.read_table(state_file(settings))
    assert upgraded.schema.names == SCHEMA.names
    assert upgraded.select(old).to_pylist() == table.select(old).to_pylist()
    assert noted_refresh(state_file(settings)) == "2026-03-01T00"
    later = version(settings, "2026-04-01T00", {"ann": "holdout", "cid": "programme"})
    assert note_assignments(settings, later) == 1
    assert known(settings)["ann"] == ("treated", "2026-03-01") and known(settings)["cid"][0] == "programme"
    assert note_assignments(settings, folder) == 0
