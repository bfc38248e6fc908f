"""The memory of a refresh: what the machine or its control group has, the setting, connections that keep to it, and
what is said of work on disk."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from orchestration import memory, refresh
from orchestration.memory import Machine
from orchestration.settings import Settings, SettingsError

TEN = Machine(10_000_000_000, "the machine")
GB = 10**9


def settings(warehouse: Path) -> Settings:
    return Settings(None, warehouse, None, "UTC", "duckdb")


def a_machine(root: Path, files: dict[str, str]) -> Path:
    """A root folder with /proc/meminfo of 16 GiB, and other files."""
    for name, text in {"proc/meminfo": "MemTotal:       16777216 kB\nMemFree: 1 kB\n", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "size", "whose"),
    [
        ({}, 16 * 2**30, "the machine"),
        ({"sys/fs/cgroup/memory.max": "max\n"}, 16 * 2**30, "the machine"),
        ({"sys/fs/cgroup/memory.max": "8589934592\n"}, 8 * 2**30, "the control group"),
        # The group's own limit, or that of any group around it.
        (
            {"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "4000000000\n"},
            4 * GB,
            "the control group",
        ),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/memory.max": "max\n",
                "sys/fs/cgroup/a/memory.max": "5000000000\n",
            },
            5 * GB,
            "the control group",
        ),
        # More than there is, as version 1 writes "no limit".
        ({"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 16 * 2**30, "the machine"),
        (
            {
                "proc/self/cgroup": "5:cpu:/x\n4:memory:/box\n0::/\n",
                "sys/fs/cgroup/memory/box/memory.limit_in_bytes": "3000000000\n",
            },
            3 * GB,
            "the control group",
        ),
        ({"proc/self/cgroup": "0::/gone\n"}, 16 * 2**30, "the machine"),
    ],
)
def test_what_there_is_is_the_least_of_machine_and_control_groups(
    tmp_path: Path, files: dict[str, str], size: int, whose: str
) -> None:
    assert memory.machine(a_machine(tmp_path, files)) == Machine(size, whose)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("60%", 6 * GB),
        ("60 %", 6 * GB),
        ("8 GB", 8 * GB),
        ("8gb", 8 * GB),
        ("2.5G", 2_500_000_000),
        ("4GiB", 4 * 2**30),
    ],
)
def test_a_share_or_a_size_of_which_python_gets_its_part(text: str, size: int) -> None:
    found = memory.limit(text, TEN)
    assert (found.size, found.duckdb) == (size, size - memory.PYTHON_BYTES)


def test_the_words_say_whose_memory_a_share_is_of() -> None:
    assert memory.limit("60%", TEN).words == "6.0 GB (60 % of what the machine has)"
    assert memory.limit("8GiB", TEN).words == "8.6 GB"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lots", "memory_limit=lots: a share such as 60% or a size such as 8 GB is needed"),
        ("0%", "memory_limit=0%: a share above 0 and up to 100 % is needed"),
        ("120%", "memory_limit=120%: a share above 0 and up to 100 % is needed"),
        ("11 GB", "memory_limit=11 GB: the machine has 10.0 GB; a size below that is needed, or a share such as 60%"),
        ("1 GB", "memory_limit=1 GB: 1.5 GB at least are needed, of which Python takes 1.0"),
    ],
)
def test_what_cannot_be_used_is_said(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        memory.limit(text, TEN)
    assert str(error.value) == said


def test_on_a_small_machine_duckdb_gets_half_of_its_share() -> None:
    assert memory.limit("60%", Machine(2 * GB, "the machine")).duckdb == 600_000_000
    assert memory.limit("60%", Machine(1 * GB, "the machine")).duckdb == memory.LEAST_BYTES


def test_a_refresh_with_a_limit_that_cannot_be_used_ends_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AS_OF", "SETTINGS", "SEEDS_DIR", "MAPPING", "ALERT_WEBHOOK_URL", "DBT_TARGET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANDING_DIR", str(tmp_path))
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    monkeypatch.setenv("MEMORY_LIMIT", "plenty")
    assert refresh.main() == refresh.BAD_ENVIRONMENT
    assert capsys.readouterr().err.startswith("memory_limit=plenty: a share such as 60%")


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings under which 1.6 GB hold: 600 MB for DuckDB."""
    monkeypatch.setattr(memory, "_warehouse", None)
    monkeypatch.setattr(memory, "machine", lambda: TEN)
    monkeypatch.setenv("MEMORY_LIMIT", "1.6 GB")
    here = settings(tmp_path)
    memory.hold(here, {})
    return here


def megabytes(con: duckdb.DuckDBPyConnection) -> float:
    [(text,)] = con.cursor().execute("select current_setting('memory_limit')").fetchall()
    return float(text.split()[0]) * 2**20 / 1e6


def test_connections_that_are_open_at_once_share_the_limit(held: Settings) -> None:
    first = memory.connect()
    assert megabytes(first) == pytest.approx(600, rel=1e-3)
    first.execute("select 42")
    second = memory.connect()
    assert [megabytes(con) for con in (first, second)] == pytest.approx([300, 300], rel=1e-3)
    assert first.fetchall() == [(42,)], "what waits to be fetched is still there"
    first.close()
    with memory.connect() as third:
        assert [megabytes(con) for con in (second, third)] == pytest.approx([300, 300], rel=1e-3)
    second.close()
    with memory.connect() as alone:
        assert megabytes(alone) == pytest.approx(600, rel=1e-3)


def test_what_duckdb_freed_is_given_back_soon(held: Settings) -> None:
    with memory.connect() as ours, duckdb.connect(config=memory.options()) as of_another_package:
        for con in (ours, of_another_package):
            values = con.execute("select value from duckdb_settings() where name like 'allocator%threshold'").fetchall()
            # DuckDB has two spellings for one size.
            assert len(values) == 2 and {value for (value,) in values} <= {"30.5 MiB", "32.0 MiB", "32MB"}, values


def test_the_setting_of_the_project_holds_where_the_environment_says_nothing(
    held: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert memory.hold(held, {"memory_limit": "5 GB"}).size == 1_600_000_000
    monkeypatch.delenv("MEMORY_LIMIT")
    assert memory.hold(held, {"memory_limit": "5 GB"}).size == 5 * GB
    assert os.environ["MEMORY_LIMIT"] == "5 GB", "what child processes are told"


def test_work_beyond_the_limit_is_done_in_the_warehouse_folder_and_told(held: Settings) -> None:
    limit = memory.limit("1.6 GB", TEN)
    with memory.Spilled(held, limit) as spilled:
        with memory.connect() as con:
            con.execute("set memory_limit = '60MB'; set threads = 1")
            assert spilled.told() == ""
            con.execute("create table t as select i, md5(i::varchar) as m from range(2000000) as r (i)")
            assert list(held.warehouse_dir.glob(f"{memory.SPILL}*/*"))
            said = spilled.told()
        assert said.startswith("worked on disk, on 0.") and "because memory is limited to 1.6 GB" in said
        assert spilled.told() == said
    assert list(held.warehouse_dir.glob(f"{memory.SPILL}*")) == []


def test_what_a_killed_process_left_is_removed_and_what_another_works_on_is_not(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    for pid in (ended.pid, os.getppid(), os.getpid()):
        (tmp_path / f"{memory.SPILL}{pid}").mkdir()
    (tmp_path / f"{memory.SPILL}of-nobody").mkdir()
    memory.clean(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {f"{memory.SPILL}{pid}" for pid in (os.getppid(), os.getpid())}


def test_a_folder_that_came_and_went_between_two_looks_is_seen_by_the_watch(
    held: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory.Spilled, "SECONDS", 0.01)
    with memory.Spilled(held, memory.limit("1.6 GB", TEN)) as spilled:
        folder = memory.spill_folder(held.warehouse_dir)
        folder.mkdir()
        time.sleep(0.2)
        folder.rmdir()
        assert spilled.told().startswith("worked on disk, because memory is limited to 1.6 GB")
