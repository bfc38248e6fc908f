"""A warehouse folder that cannot be written, and a full disk: a sentence that names the folder and what is needed."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from orchestration import disk, refresh
from orchestration.settings import Settings, SettingsError


def settings(warehouse: Path, landing: Path | None = None) -> Settings:
    return Settings(landing, warehouse, None, "UTC", "duckdb")


def file_in_the_way(folder: Path) -> Path:
    """A place below a file, where nobody, root neither, can make a folder."""
    (folder / "taken").write_text("not a folder")
    return folder / "taken" / "warehouse"


def test_a_folder_that_can_be_written_is_made_and_left_empty(tmp_path: Path) -> None:
    disk.check_writable(settings(tmp_path / "a" / "b"))
    assert list((tmp_path / "a" / "b").iterdir()) == []
    disk.check_writable(settings(tmp_path / "a" / "b"))


@pytest.mark.parametrize("below", [True, False], ids=["below a file", "a file itself"])
def test_a_folder_that_cannot_be_made_is_named_with_what_is_needed(tmp_path: Path, below: bool) -> None:
    place = file_in_the_way(tmp_path)
    place = place if below else place.parent
    with pytest.raises(SettingsError) as error:
        disk.check_writable(settings(place))
    said = str(error.value)
    assert said.startswith(f"WAREHOUSE_DIR={place}: cannot be written (")
    assert "change its owner or permissions, or set WAREHOUSE_DIR to another one" in said
    assert "\n" not in said


def test_a_refresh_into_such_a_folder_ends_with_the_sentence_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = file_in_the_way(tmp_path)
    for name in ("AS_OF", "SETTINGS", "SEEDS_DIR", "MAPPING", "ALERT_WEBHOOK_URL", "DBT_TARGET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANDING_DIR", str(tmp_path))
    monkeypatch.setenv("WAREHOUSE_DIR", str(place))
    assert refresh.main() == refresh.BAD_ENVIRONMENT
    said = capsys.readouterr().err
    assert said.startswith(f"WAREHOUSE_DIR={place}: cannot be written") and "Traceback" not in said


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT], ids=["full", "quota"])
def test_a_full_disk_is_told_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3_400_000))
    with pytest.raises(SettingsError) as error:
        disk.check_writable(settings(tmp_path / "warehouse", tmp_path))
    assert str(error.value) == (
        f"WAREHOUSE_DIR={tmp_path}/warehouse: its disk is full (3 MB free); needed is about 100 MB for this landing "
        "zone, and more for each kept version: free some room, lower keep_versions, or set WAREHOUSE_DIR to a folder "
        "on a larger disk"
    )


def test_what_is_needed_grows_with_the_landing_zone_and_parquet_says_more_in_a_byte(tmp_path: Path) -> None:
    for name in ("order_lines/a.csv", "order_lines/b.parquet"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            file.truncate(100_000_000)
    # 100 MB of CSV at 8 bytes a byte, 100 MB of Parquet at 40, and what a shop without lines takes.
    assert "about 4.9 GB for this landing zone" in disk.full(settings(tmp_path / "warehouse", tmp_path))


def a_landing_zone(folder: Path) -> Path:
    """100 MB of Parquet (in holes) in order_lines, and a backup that is no table."""
    for name in ("order_lines/day=1/a.parquet", "backup/all.parquet"):
        path = folder / name
        path.parent.mkdir(parents=True)
        with path.open("wb") as file:
            file.truncate(100_000_000)
    return folder


def test_a_disk_with_too_little_room_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = settings(tmp_path / "warehouse", a_landing_zone(tmp_path / "landing"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4_100_000_000))
    disk.check_room(here, ["order_lines"])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4_000_000_000))
    with pytest.raises(SettingsError) as error:
        disk.check_room(here, ["order_lines"])
    assert str(error.value) == (
        f"WAREHOUSE_DIR={tmp_path}/warehouse: 4.0 GB of its disk are free, and this landing zone takes about 4.1 GB "
        "there, as other shops did (docs/benchmarks.md): free some room, lower keep_versions, set WAREHOUSE_DIR to a "
        "folder on a larger disk, or set check_disk to false to try all the same"
    )


def test_what_the_warehouse_holds_is_a_part_of_what_it_takes_but_a_candidate_needs_a_versions_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = settings(tmp_path / "warehouse", a_landing_zone(tmp_path / "landing"))
    monkeypatch.setattr(disk, "BYTES_PER_PARQUET_BYTE", 0)
    monkeypatch.setattr(disk, "_BYTES_PER_BYTE", {})
    monkeypatch.setattr(disk, "LEAST_BYTES", 5_000_000)

    def room(free: int) -> bool:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
        try:
            disk.check_room(here, ["order_lines"])
        except SettingsError:
            return False
        return True

    assert room(5_000_000) and not room(4_999_999)
    here.build_file.parent.mkdir(parents=True)
    here.build_file.write_bytes(b"x" * 4_000_000)
    assert room(1_000_000) and not room(900_000)
    version = here.versions_dir / "one"
    version.mkdir(parents=True)
    (version / "segments.duckdb").write_bytes(b"x" * 3_000_000)
    here.published_link.symlink_to(version)
    assert room(3_100_000) and not room(2_900_000)


def test_a_refresh_that_does_not_fit_ends_with_the_sentence_and_check_disk_false_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AS_OF", "SETTINGS", "SEEDS_DIR", "MAPPING", "ALERT_WEBHOOK_URL", "DBT_TARGET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANDING_DIR", str(a_landing_zone(tmp_path / "landing")))
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000_000))
    monkeypatch.setattr(refresh, "run", lambda *_, **__: refresh.PUBLISHED)
    assert refresh.main() == refresh.BAD_ENVIRONMENT
    assert "1.0 GB of its disk are free, and this landing zone takes about" in capsys.readouterr().err
    (tmp_path / "settings.yml").write_text("check_disk: false\n")
    monkeypatch.setenv("SETTINGS", str(tmp_path / "settings.yml"))
    assert refresh.main() == refresh.PUBLISHED


def test_other_errors_are_not_taken_for_one_of_the_two(tmp_path: Path) -> None:
    here = settings(tmp_path)
    assert disk.explained(OSError(errno.ENOENT, "No such file or directory"), here) is None
    assert disk.in_words("order_lines: required column amount is missing", here) == (
        "order_lines: required column amount is missing"
    )


@pytest.mark.parametrize(
    "message",
    [
        "[Errno 28] No space left on device",
        "IO Error: Could not write file: No space left on device",
        "java.io.IOException: Disk quota exceeded",
    ],
)
def test_a_step_that_met_a_full_disk_says_so_in_the_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3_400_000))
    assert disk.in_words(message, settings(tmp_path)).startswith(f"WAREHOUSE_DIR={tmp_path}: its disk is full (")


def test_a_disk_that_is_not_full_is_not_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = settings(tmp_path / "warehouse", tmp_path)
    message = "OSError: [Errno 28] No space left on device"
    free = {here.warehouse_dir: 500_000_000_000, tmp_path / "tmp": 4_000_000}
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free[folder]))
    monkeypatch.setattr(disk, "_disks", lambda _: list(free))
    assert disk.in_words(message, here) == (
        f"{tmp_path}/tmp: its disk is full (4 MB free): free some room there, or set TMPDIR to a folder on a larger "
        "disk where it is the one of temporary files"
    )
    free[tmp_path / "tmp"] = 900_000_000_000
    assert disk.in_words(message, here) == message
    free[here.warehouse_dir] = 4_000_000
    assert disk.in_words(message, here).startswith(f"WAREHOUSE_DIR={here.warehouse_dir}: its disk is full (4 MB free)")
    # Each by what is needed there: less is free of the other, and enough.
    monkeypatch.setattr(disk, "_bytes_needed", lambda *_: 60_000_000_000)
    free.update({here.warehouse_dir: 10_000_000_000, tmp_path / "tmp": 4_000_000_000})
    told = disk.in_words(message, here)
    assert told.startswith(f"WAREHOUSE_DIR={here.warehouse_dir}: its disk is full (10.0 GB free)")
    # From the second refresh on the most of it is there.
    monkeypatch.setattr(disk, "_bytes_on_disk", lambda _: 29_000_000_000)
    free[tmp_path / "tmp"] = 4_000_000
    assert disk.in_words(message, here).startswith(f"{tmp_path}/tmp: its disk is full (4 MB free)")


@pytest.mark.parametrize(
    ("place", "begins"),
    [
        ("/data/tmp/dbt-1", "/data/tmp: its disk is full ("),
        ("/data/spill-7/a.tmp", "WAREHOUSE_DIR=/data: its disk is full ("),
        ("/far/data/tmp/a", "IO Error: "),
        ("/data/tmp2/a", "WAREHOUSE_DIR=/data: its disk is full ("),
    ],
    ids=["temporary", "spilled files that are gone", "neither", "a name that goes on"],
)
def test_the_disk_that_the_message_names_is_told_whatever_is_free_now(
    monkeypatch: pytest.MonkeyPatch, place: str, begins: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=900_000_000_000))
    monkeypatch.setattr(disk, "_disks", lambda _: [Path("/data"), Path("/data/tmp")])
    message = f'IO Error: Could not write file "{place}": No space left on device\nThe log is in /data/logs/a.log'
    assert disk.in_words(message, settings(Path("/data"), Path("/no-landing"))).startswith(begins)


@pytest.mark.parametrize(
    ("number", "name", "begins"),
    [
        (
            errno.EACCES,
            "warehouse/logs/a.log",
            "WAREHOUSE_DIR={folder}/warehouse: cannot be written (Permission denied)",
        ),
        (errno.EACCES, ".", "WAREHOUSE_DIR={folder}/warehouse: cannot be written"),
        (
            errno.EACCES,
            "warehouse/refresh.lock",
            "{folder}/warehouse/refresh.lock: cannot be written (Permission denied)",
        ),
        (errno.EACCES, "export/a.csv", "{folder}/export/a.csv: cannot be read or written (Permission denied)"),
        (errno.ENOSPC, "tmp/dbt-1", "{folder}/tmp: its disk is full ("),
        (errno.ENOSPC, "warehouse/logs/a.log", "WAREHOUSE_DIR={folder}/warehouse: its disk is full ("),
    ],
)
def test_the_place_that_an_error_names_is_told(tmp_path: Path, number: int, name: str, begins: str) -> None:
    error = OSError(number, os.strerror(number), str(tmp_path / name))
    said = disk.explained(error, settings(tmp_path / "warehouse", tmp_path))
    assert said is not None and said.startswith(begins.format(folder=tmp_path))


def test_a_link_in_the_warehouse_to_a_relative_place_is_the_warehouses(tmp_path: Path) -> None:
    error = PermissionError(errno.EACCES, "Permission denied", "versions/1", None, str(tmp_path / ".published.7"))
    assert str(disk.explained(error, settings(tmp_path))).startswith(f"WAREHOUSE_DIR={tmp_path}: cannot be written")


def test_what_duckdb_says_when_its_temporary_folder_is_full_is_known(tmp_path: Path) -> None:
    rows = "select count(*) from (select distinct hash(i), hash(i + 1) from range(3000000) as r(i))"
    with duckdb.connect() as con:
        con.execute(f"set threads = 1; set temp_directory = '{tmp_path}'; set max_temp_directory_size = '1MB'")
        con.execute("set memory_limit = '30MB'")
        with pytest.raises(duckdb.Error) as error:
            con.execute(rows)
    assert disk.in_words(str(error.value), settings(tmp_path)).startswith(f"WAREHOUSE_DIR={tmp_path}: its disk is full")
