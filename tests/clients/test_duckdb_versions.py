"""DuckDB from 1.1 to 2.0 on the published file: every table and view, and several at once while versions are switched.

The versions come from the registry, each into a folder of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from orchestration.publication.questions import questions
from tests.support.environments import environment, installed

# The last of each series; the project's own is one of them.
VERSIONS = ("1.1.3", "1.2.2", "1.3.2", "1.4.5", "1.5.6", "2.0.1")
SECONDS = 8
PUBLISHED_AT_LEAST, READ_AT_LEAST = 5, 5

# A version every tenth of a second: two tables, a view and the Parquet files all hold its number.
PUBLISH = """
import itertools, sys, time
from datetime import date
from pathlib import Path
import duckdb
from orchestration.publication.candidate import prepare_folders, write_candidate
from orchestration.publication.ddl import PublishedTable
from orchestration.storage.lock import refresh_lock
from orchestration.publication.publish import CheckCounts, publish
from orchestration.publication.questions import Question
from orchestration.settings import Settings

settings, until = Settings(None, Path(sys.argv[1]), None, "UTC", "duckdb"), time.monotonic() + float(sys.argv[2])
tables = {n: PublishedTable(n, {"id": "bigint", "v": "bigint"}, ("id",)) for n in ("a", "b")}
view = Question("v_both", "Both.", {"v": "Number."}, "select v from a union select v from b")
with refresh_lock(settings.lock_file):
    for number in itertools.count(1):
        candidate = settings.candidate_dir / f"{number:09}"
        prepare_folders(settings, candidate)
        with duckdb.connect() as con:
            for name in tables:
                con.execute(f"create table {name} as select range as id, {number} as v from range(5000)")
            rows = write_candidate(con, candidate, tables, {}, [view])
        publish(settings, candidate, date(2026, 11, 1), rows, CheckCounts(), keep_versions=5)
        if number == 1:
            print("started", flush=True)
        if time.monotonic() > until:
            print(number, flush=True)
            break
        time.sleep(0.1)
"""

# As a BI tool does: open by the link's name, ask several things, close, again.
READ = """
import json, os, sys, time
import duckdb
published, until, times, seen = sys.argv[1], time.monotonic() + float(sys.argv[2]), 0, set()
while time.monotonic() < until:
    with duckdb.connect(f"{published}/segments.duckdb", read_only=True) as con:
        found = {con.execute("select min(v), max(v), count(*) from a").fetchall()[0]}
        time.sleep(0.02)
        found.add(con.execute("select min(v), max(v), count(*) from b").fetchall()[0])
        (only,) = con.execute("from v_both").fetchall()
    (first, last, count), = found
    assert first == last == only[0] and count == 5000, (found, only)
    folder = os.path.realpath(published)
    a, b = (duckdb.sql(f"select min(v), max(v) from '{folder}/parquet/{n}.parquet'").fetchall() for n in "ab")
    assert a == b and a[0][0] == a[0][1] >= first, (a, b, first)
    times += 1
    seen.add(first)
print(json.dumps({"version": duckdb.__version__, "times": times, "seen": len(seen)}))
"""

# Every table and view, in full, by column: what a version cannot read is an error.
READ_ALL = """
import json, sys
import duckdb
with duckdb.connect(sys.argv[1], read_only=True) as con:
    names = [row[0] for row in con.execute("select table_name from information_schema.tables order by 1").fetchall()]
    rows = {}
    for name in names:
        found = con.execute(f'select count(*), count(columns(*)) from "{name}"').fetchone()
        rows[name] = found[0]
        con.execute(f'from "{name}" limit 5').fetchall()
    comments = con.execute("select count(comment) from duckdb_columns() where not internal").fetchone()[0]
print(json.dumps({"version": duckdb.__version__, "rows": rows, "comments": comments}))
"""


@pytest.fixture(scope="module")
def readers() -> dict[str, dict[str, str]]:
    """The environment of each version."""
    return {
        version: environment(installed(f"duckdb-{version}", f"duckdb=={version}", with_dependencies=False))
        for version in VERSIONS
    }


def test_every_version_reads_every_table_and_view(demo_refresh: Path, readers: dict[str, dict[str, str]]) -> None:
    file = demo_refresh / "published" / "segments.duckdb"
    manifest = json.loads((demo_refresh / "published" / "manifest.json").read_text(encoding="utf-8"))
    expected = {name: table["rows"] for name, table in manifest["tables"].items()}
    for version, env in readers.items():
        done = subprocess.run(
            [sys.executable, "-c", READ_ALL, str(file)],
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{version}:\n{done.stderr[-3000:]}"
        said = json.loads(done.stdout)
        assert said["version"] == version
        views = {question.name for question in questions()}
        assert {name: rows for name, rows in said["rows"].items() if not name.startswith("v_")} == expected, version
        assert views <= set(said["rows"]), version
        assert said["comments"] > 500, version


def test_readers_of_all_versions_see_whole_versions_while_they_are_switched(
    tmp_path: Path, readers: dict[str, dict[str, str]]
) -> None:
    seconds = str(SECONDS + 2)
    publisher = subprocess.Popen(
        [sys.executable, "-c", PUBLISH, str(tmp_path), seconds], stdout=subprocess.PIPE, text=True
    )
    assert publisher.stdout is not None and publisher.stdout.readline() == "started\n"
    began = time.monotonic()
    reading = {
        version: subprocess.Popen(
            [sys.executable, "-c", READ, str(tmp_path / "published"), str(SECONDS)],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for version, env in readers.items()
    }
    for version, reader in reading.items():
        out, err = reader.communicate(timeout=120)
        assert reader.returncode == 0, f"{version} after {time.monotonic() - began:.0f} s:\n{err[-3000:]}"
        said = json.loads(out)
        assert said["version"] == version
        assert said["times"] >= READ_AT_LEAST and said["seen"] > 1, said
    published, _ = publisher.communicate(timeout=120)
    assert publisher.returncode == 0 and int(published) >= PUBLISHED_AT_LEAST


def test_a_file_that_is_being_written_is_found_out(tmp_path: Path) -> None:
    """What the readers would see without the switch: the test above can fail."""
    with duckdb.connect(str(tmp_path / "segments.duckdb")) as con:
        con.execute("create table a as select range as id, range % 2 as v from range(5000)")
        con.execute("create table b as select range as id, 2 as v from range(5000)")
        con.execute("create view v_both as select v from a union select v from b")
    done = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path), "1"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0 and ("AssertionError" in done.stderr or "ValueError" in done.stderr)
