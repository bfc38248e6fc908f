"""Publication: whatever happens, readers find one whole version behind the link."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.publication.publish import (
    CheckCounts,
    NothingToRollBackTo,
    git_revision,
    publish,
    remove_unpublished,
    rollback,
)
from orchestration.settings import Settings
from orchestration.storage.files import remove_folder, sha256_of, switch_link
from orchestration.storage.versions import demo_over_shop, published_version, read_manifest, version_folders

AS_OF = date(2026, 11, 1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(None, tmp_path / "wh", None, "UTC", "duckdb")


def make_candidate(settings: Settings, refresh_id: str, value: int = 1) -> Path:
    folder = settings.candidate_dir / refresh_id
    (folder / "parquet").mkdir(parents=True)
    with duckdb.connect(str(folder / "segments.duckdb")) as con:
        con.execute("create table a as select ? as v from range(3)", [value])
        con.execute("create table b as select ? as v from range(3)", [value])
        for table in ("a", "b"):
            con.execute(f"copy {table} to '{folder}/parquet/{table}.parquet'")
    return folder


def publish_one(settings: Settings, refresh_id: str, value: int = 1, keep: int = 5) -> Path:
    candidate = make_candidate(settings, refresh_id, value)
    return publish(settings, candidate, AS_OF, {"a": 3, "b": 3}, CheckCounts(7, 1, 0), keep_versions=keep)


def exported(version: Path, is_demo: bool) -> None:
    (version / "audiences").mkdir(exist_ok=True)
    (version / "audiences" / "summary.json").write_text(json.dumps({"is_demo": is_demo}))


def test_who_reads_the_demo_over_a_shop_of_their_own_is_told_so(settings: Settings, tmp_path: Path) -> None:
    assert demo_over_shop(settings) is None
    version = publish_one(settings, "20260101T000000Z-a")
    # Of an earlier release: nobody knows whose it is.
    assert demo_over_shop(settings) is None
    exported(version, is_demo=True)
    assert demo_over_shop(settings) is None
    exported(version, is_demo=False)
    assert "give LANDING_DIR (or MAPPING), as for its refresh" in (demo_over_shop(settings) or "")
    assert demo_over_shop(replace(settings, landing_dir=tmp_path)) is None
    assert demo_over_shop(replace(settings, mapping_file=tmp_path / "mapping.yml")) is None
    # A torn export keeps nobody from anything.
    (version / "audiences" / "summary.json").write_text('{"is_dem')
    assert demo_over_shop(settings) is None


def every_byte(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): sha256_of(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_link_points_at_the_new_version(settings: Settings) -> None:
    version = publish_one(settings, "20260101T000000Z-a")
    assert settings.published_link.is_symlink()
    assert settings.published_link.resolve() == version.resolve()
    assert not (settings.candidate_dir / version.name).exists()


def test_the_link_is_relative_so_that_the_warehouse_can_be_moved(settings: Settings) -> None:
    publish_one(settings, "20260101T000000Z-a")
    moved = settings.warehouse_dir.rename(settings.warehouse_dir.with_name("moved"))
    assert (moved / "published" / "segments.duckdb").is_file()


def test_every_published_file_is_read_only(settings: Settings) -> None:
    version = publish_one(settings, "20260101T000000Z-a")
    modes = {p.name: p.stat().st_mode & 0o777 for p in version.rglob("*") if p.is_file()}
    assert set(modes.values()) == {0o444}
    assert {"segments.duckdb", "manifest.json", "a.parquet"} <= set(modes)


def test_the_manifest_says_what_the_contract_asks(settings: Settings) -> None:
    version = publish_one(settings, "20260101T000000Z-a")
    manifest = json.loads((version / "manifest.json").read_text())
    assert manifest["refresh_id"] == "20260101T000000Z-a"
    assert manifest["as_of"] == "2026-11-01"
    assert manifest["checks"] == {"passed": 7, "warned": 1, "failed": 0}
    assert manifest["tables"]["b"] == {"rows": 3, "sha256": sha256_of(version / "parquet" / "b.parquet")}
    assert {"published_at", "git_revision"} <= set(manifest)


def test_a_candidate_with_failed_checks_is_not_published(settings: Settings) -> None:
    first = publish_one(settings, "20260101T000000Z-a")
    before = every_byte(first)
    candidate = make_candidate(settings, "20260102T000000Z-b", 2)
    with pytest.raises(RuntimeError, match="2 checks failed"):
        publish(settings, candidate, AS_OF, {"a": 3, "b": 3}, CheckCounts(1, 0, 2))
    assert published_version(settings) == first.resolve()
    assert every_byte(first) == before


def test_a_candidate_without_a_parquet_file_is_not_published(settings: Settings) -> None:
    first = publish_one(settings, "20260101T000000Z-a")
    candidate = make_candidate(settings, "20260102T000000Z-b", 2)
    (candidate / "parquet" / "b.parquet").unlink()
    with pytest.raises(FileNotFoundError):
        publish(settings, candidate, AS_OF, {"a": 3, "b": 3}, CheckCounts())
    assert published_version(settings) == first.resolve()


def test_a_database_that_was_not_closed_is_not_published(settings: Settings) -> None:
    candidate = make_candidate(settings, "20260102T000000Z-b", 2)
    (candidate / "segments.duckdb.wal").write_bytes(b"rows that only the log holds")
    with pytest.raises(RuntimeError, match="wal"):
        publish(settings, candidate, AS_OF, {"a": 3, "b": 3}, CheckCounts())
    assert published_version(settings) is None


def test_a_folder_in_the_place_of_the_link_is_left_alone(settings: Settings) -> None:
    settings.published_link.mkdir(parents=True)
    (settings.published_link / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        publish_one(settings, "20260101T000000Z-a")
    assert (settings.published_link / "mine.txt").read_text() == "mine"


def test_only_the_last_versions_stay(settings: Settings) -> None:
    for number in range(1, 8):
        publish_one(settings, f"2026010{number}T000000Z-x", number, keep=3)
    assert [v.name[:8] for v in version_folders(settings)] == ["20260105", "20260106", "20260107"]


def test_pruning_never_removes_the_published_version(settings: Settings) -> None:
    from orchestration.publication.publish import prune

    for number in range(1, 5):
        publish_one(settings, f"2026010{number}T000000Z-x", number)
    for _ in range(3):
        rollback(settings)
    prune(settings, keep_versions=1)
    assert [v.name[:8] for v in version_folders(settings)] == ["20260101", "20260104"]
    assert (settings.published_link / "segments.duckdb").is_file()


def test_rollback_goes_one_version_back_each_time_and_then_says_that_there_is_none(settings: Settings) -> None:
    names = [publish_one(settings, f"2026010{number}T000000Z-x", number).name for number in (1, 2, 3)]
    assert rollback(settings) == (names[2], names[1])
    assert rollback(settings) == (names[1], names[0])
    with pytest.raises(NothingToRollBackTo, match=names[0]):
        rollback(settings)
    assert published_version(settings) == (settings.versions_dir / names[0]).resolve()


def test_rollback_where_nothing_is_published_says_so(settings: Settings) -> None:
    with pytest.raises(NothingToRollBackTo, match="nothing is published"):
        rollback(settings)


def test_rollback_does_not_return_to_a_version_that_was_rolled_back(settings: Settings) -> None:
    good = publish_one(settings, "20260101T000000Z-x").name
    publish_one(settings, "20260102T000000Z-bad")
    rollback(settings)
    publish_one(settings, "20260103T000000Z-x")
    assert rollback(settings)[1] == good


def test_pruning_keeps_where_a_rollback_goes_and_not_what_was_rolled_back(settings: Settings) -> None:
    good = publish_one(settings, "20260101T000000Z-x", keep=2).name
    publish_one(settings, "20260102T000000Z-bad", keep=2)
    rollback(settings)
    newest = publish_one(settings, "20260103T000000Z-x", keep=2).name
    assert [v.name for v in version_folders(settings)] == [good, newest]
    assert rollback(settings) == (newest, good)


def test_of_one_version_kept_there_is_no_way_back(settings: Settings) -> None:
    first = publish_one(settings, "20260101T000000Z-x", keep=1).name
    publish_one(settings, "20260102T000000Z-x", keep=1)
    assert [v.name[:8] for v in version_folders(settings)] == ["20260102"]
    with pytest.raises(NothingToRollBackTo, match=f"replaced {first}, which is not kept"):
        rollback(settings)


def test_rollback_goes_to_no_other_version_where_the_one_before_is_gone(settings: Settings) -> None:
    good = publish_one(settings, "20260101T000000Z-x")
    publish_one(settings, "20260102T000000Z-bad")
    rollback(settings)
    newest = publish_one(settings, "20260103T000000Z-x")
    remove_folder(good)
    with pytest.raises(NothingToRollBackTo, match=good.name):
        rollback(settings)
    assert published_version(settings) == newest.resolve()


def test_a_version_that_does_not_say_what_it_replaced_goes_back_to_the_one_before_by_age(settings: Settings) -> None:
    first = publish_one(settings, "20260101T000000Z-x").name
    second = publish_one(settings, "20260102T000000Z-x")
    manifest = second / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_text(json.dumps({k: v for k, v in read_manifest(second).items() if k != "replaces"}))
    assert rollback(settings) == (second.name, first)


def test_a_version_that_was_never_linked_is_removed_and_a_rolled_back_one_is_kept(settings: Settings) -> None:
    publish_one(settings, "20260101T000000Z-x")
    publish_one(settings, "20260102T000000Z-back")
    rollback(settings)
    orphan = make_candidate(settings, "20260103T000000Z-orphan")
    (orphan / "manifest.json").write_text("{}")
    orphan.rename(settings.versions_dir / orphan.name)
    removed = remove_unpublished(settings, known={"20260101T000000Z-x", "20260102T000000Z-back"})
    assert removed == ["20260103T000000Z-orphan"]
    assert [v.name for v in version_folders(settings)] == ["20260101T000000Z-x", "20260102T000000Z-back"]


def test_readers_never_see_a_mixed_or_missing_state_while_versions_are_switched(settings: Settings) -> None:
    publish_one(settings, "20260101T000000Z-000", 0)
    done, seen, errors = threading.Event(), set(), []

    def read() -> None:
        while not done.is_set():
            try:
                # As a reader in another process does: the link is followed once, when the file is opened.
                folder = Path(os.path.realpath(settings.published_link))
                with duckdb.connect(str(folder / "segments.duckdb"), read_only=True) as con:
                    row = con.execute("select min(v), max(v) from (from a union all from b)").fetchone()
                assert row is not None and row[0] == row[1], f"mixed: {row}"
                seen.add(row[0])
            except Exception as error:
                errors.append(error)
                return

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(1, 21):
        # All are kept: what a pruned reader sees is not the subject here.
        publish_one(settings, f"20260101T000000Z-{number:03}", number, keep=50)
    done.set()
    for reader in readers:
        reader.join()
    assert errors == []
    assert len(seen) > 1


def test_switching_the_link_leaves_no_other_name_behind(settings: Settings, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        switch_link(tmp_path / "link", tmp_path / name)
    assert (tmp_path / "link").resolve().name == "two"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "one", "two"]


def test_the_git_revision_is_null_outside_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_revision(tmp_path) is None


def test_the_manifest_names_the_version_that_it_replaced(settings: Settings) -> None:
    first = publish_one(settings, "20260101T000000Z-x")
    second = publish_one(settings, "20260102T000000Z-x")
    assert read_manifest(first)["replaces"] is None
    assert read_manifest(second)["replaces"] == first.name
