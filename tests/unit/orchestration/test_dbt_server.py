"""dbt kept ready: calls end as a dbt of their own would, and nothing outlives whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.settings import PROJECT_DIR
from orchestration.warehouse.dbt_child import DBT_SERVER, call_server
from orchestration.warehouse.dbt_server import dbt_kept_ready, is_served
from orchestration.warehouse.project import DBT_COMMAND

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel ends children on Linux alone")

HOLDER = """
import sys, time
from orchestration.settings import PROJECT_DIR
from orchestration.warehouse.dbt_server import dbt_kept_ready
with dbt_kept_ready("duckdb", PROJECT_DIR):
    print("ready", flush=True)
    time.sleep(600)
"""


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*DBT_COMMAND, *arguments], cwd=PROJECT_DIR, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with dbt_kept_ready("duckdb", PROJECT_DIR):
        yield os.environ[DBT_SERVER]


def test_a_call_has_dbts_output_and_exit_code(served: str) -> None:
    good, wrong = call("--version"), call("no-such-command")
    assert good.returncode == 0
    assert "installed" in good.stdout
    assert wrong.returncode == 2
    assert "no-such-command" in wrong.stdout + wrong.stderr


def test_calls_do_not_hold_each_others_output(served: str) -> None:
    # Each answer is read to its end: what held it open would hold this test.
    assert [call("--version").returncode for _ in range(3)] == [0, 0, 0]


def test_a_parse_that_fails_says_so(served: str, tmp_path: Path) -> None:
    answer = call("parse", "--profiles-dir", "profiles", "--project-dir", str(tmp_path), "--log-path", str(tmp_path))
    assert answer.returncode != 0
    assert "dbt_project.yml" in answer.stdout + answer.stderr
    assert call("--version").returncode == 0


def test_without_a_server_dbt_is_called_as_ever(tmp_path: Path) -> None:
    assert call_server(str(tmp_path / "gone"), ["--version"]) is None
    assert not is_served("spark")


def test_where_no_server_can_be_started_the_refresh_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    far = tmp_path / ("x" * 120)
    far.mkdir()
    monkeypatch.delenv(DBT_SERVER, raising=False)
    monkeypatch.delenv("NO_DBT_SERVER", raising=False)
    # Longer than the address of a socket may be.
    monkeypatch.setattr(tempfile, "tempdir", str(far))
    with dbt_kept_ready("duckdb", PROJECT_DIR):
        assert DBT_SERVER not in os.environ
    assert list(far.iterdir()) == []


def test_a_killed_refresh_leaves_no_server() -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], cwd=PROJECT_DIR, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline().strip() == "ready"
    children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split()
    assert children
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    ends = time.monotonic() + 20
    while any(is_running(child) for child in children):
        assert time.monotonic() < ends
        time.sleep(0.05)


def is_running(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
