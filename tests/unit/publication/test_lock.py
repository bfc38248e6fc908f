"""The lock: one holder, named to whoever comes second, gone with the process that held it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.settings import PROJECT_DIR
from orchestration.storage.lock import LockHeld, read_holder, refresh_lock

HOLD = """
import sys, time
from pathlib import Path
from orchestration.storage.lock import refresh_lock
with refresh_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(lock: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], cwd=PROJECT_DIR, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_at_once_and_told_who_holds_it(tmp_path: Path) -> None:
    lock = tmp_path / "wh" / "refresh.lock"
    process = holder(lock)
    try:
        with pytest.raises(LockHeld, match=f"process {process.pid} on .*, since 20"), refresh_lock(lock):
            pytest.fail("the lock was given twice")
        assert read_holder(lock)["pid"] == str(process.pid)
    finally:
        process.kill()
        process.wait()


def test_the_file_of_a_killed_holder_is_no_obstacle(tmp_path: Path) -> None:
    lock = tmp_path / "refresh.lock"
    process = holder(lock)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert read_holder(lock)["pid"] == str(process.pid)
    with refresh_lock(lock):
        assert read_holder(lock)["pid"] == str(os.getpid())


def test_the_lock_is_free_after_the_block_and_after_an_error_in_it(tmp_path: Path) -> None:
    lock = tmp_path / "refresh.lock"
    with pytest.raises(ZeroDivisionError), refresh_lock(lock):
        1 / 0  # noqa: B018
    with refresh_lock(lock):
        pass
    assert read_holder(lock) == {}


def test_within_a_process_the_lock_is_shared_and_held_to_the_end_of_the_outer_block(tmp_path: Path) -> None:
    lock = tmp_path / "refresh.lock"
    with refresh_lock(lock):
        with refresh_lock(lock):
            pass
        other = subprocess.run([sys.executable, "-c", HOLD, str(lock)], cwd=PROJECT_DIR, capture_output=True, text=True)
        assert other.returncode != 0 and "LockHeld" in other.stderr


def test_a_file_with_other_content_names_nobody(tmp_path: Path) -> None:
    lock = tmp_path / "refresh.lock"
    for content in ("", "not json", json.dumps([1])):
        lock.write_text(content)
        assert read_holder(lock) == {}
