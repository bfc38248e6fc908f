"""A publisher that is killed at any moment leaves a whole version behind the link, and the next one goes on."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import duckdb

from orchestration.publication.publish import CheckCounts, publish, remove_unpublished
from orchestration.settings import PROJECT_DIR, Settings
from orchestration.storage.files import sha256_of
from orchestration.storage.lock import refresh_lock
from orchestration.storage.versions import published_version

MOMENTS = 12

PUBLISH_FOREVER = """
import itertools, sys
from datetime import date
from pathlib import Path
import duckdb
from orchestration.publication.candidate import prepare_folders
from orchestration.storage.lock import refresh_lock
from orchestration.publication.publish import CheckCounts, publish
from orchestration.settings import Settings

settings, start = Settings(None, Path(sys.argv[1]), None, "UTC", "duckdb"), int(sys.argv[2])
with refresh_lock(settings.lock_file):
    for number in itertools.count(start):
        candidate = settings.candidate_dir / f"{number:09}"
        prepare_folders(settings, candidate)
        (candidate / "parquet").mkdir(parents=True)
        with duckdb.connect(str(candidate / "segments.duckdb")) as con:
            con.execute("create table a as select ? as v from range(1000)", [number])
            con.execute(f"copy a to '{candidate}/parquet/a.parquet'")
        publish(settings, candidate, date(2026, 11, 1), {"a": 1000}, CheckCounts(), keep_versions=2)
        if number == start:
            print("started", flush=True)
"""


def assert_whole(version: Path) -> int:
    """The version's manifest, database and parquet say the same; returns its number."""
    manifest = json.loads((version / "manifest.json").read_text())
    assert manifest["refresh_id"] == version.name
    assert manifest["tables"]["a"]["sha256"] == sha256_of(version / "parquet" / "a.parquet")
    with duckdb.connect(str(version / "segments.duckdb"), read_only=True) as con:
        rows = con.execute("select min(v), max(v), count(*) from a").fetchone()
    assert rows == (int(version.name), int(version.name), 1000)
    return int(version.name)


def test_a_publisher_killed_at_any_moment_leaves_a_whole_version_and_no_obstacle(tmp_path: Path) -> None:
    settings = Settings(None, tmp_path, None, "UTC", "duckdb")
    moments = random.Random(7)
    last = 0
    for round_number in range(MOMENTS):
        start = (round_number + 1) * 1_000_000
        process = subprocess.Popen(
            [sys.executable, "-c", PUBLISH_FOREVER, str(tmp_path), str(start)],
            cwd=PROJECT_DIR,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None and process.stdout.readline() == "started\n"
        time.sleep(moments.uniform(0.0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.wait()
        version = published_version(settings)
        if version is not None:
            number = assert_whole(version)
            assert number >= last
            last = number
    assert last > 1_000_000
    # The next refresh takes the lock, clears away what was left, and publishes.
    with refresh_lock(settings.lock_file):
        remove_unpublished(settings, known=set())
        candidate = settings.candidate_dir / "999999999"
        (candidate / "parquet").mkdir(parents=True)
        with duckdb.connect(str(candidate / "segments.duckdb")) as con:
            con.execute("create table a as select 999999999 as v from range(1000)")
            con.execute(f"copy a to '{candidate}/parquet/a.parquet'")
        publish(settings, candidate, date(2026, 11, 1), {"a": 1000}, CheckCounts(), keep_versions=2)
    version = published_version(settings)
    assert version is not None and assert_whole(version) == 999999999
