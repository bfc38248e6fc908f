"""The sensor on the landing zone: when it asks for a refresh, and when it does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from dagster import DagsterInstance, SensorResult, build_sensor_context

from orchestration.defs.schedules import (
    Seen,
    decide,
    is_in_use,
    landing_sensor,
    look_from_outside,
    published_fingerprints,
)
from orchestration.landing.land import land, zone_fingerprint
from orchestration.landing.prepare import prepare
from orchestration.publication.publish import CheckCounts
from orchestration.publication.refreshes import SCHEMA, RowAccount, note, refresh_row
from orchestration.settings import Settings, read_settings
from orchestration.storage.lock import refresh_lock


def test_changed_files_ask_for_a_refresh_at_the_second_look_that_finds_them_alike() -> None:
    why, seen = decide("b", {"a"}, Seen("a", ""), in_use=False)
    assert why is not None and "waiting" in why
    why, seen = decide("c", {"a"}, seen, in_use=False)
    assert why is not None and "waiting" in why
    why, seen = decide("c", {"a"}, seen, in_use=False)
    assert why is None and seen == Seen("c", "c")


def test_files_that_are_published_ask_for_nothing() -> None:
    why, _ = decide("a", {"a"}, Seen("a", ""), in_use=False)
    assert why is not None and "no file has changed" in why


def test_the_same_files_are_not_asked_for_twice() -> None:
    why, seen = decide("b", {"a"}, Seen("b", "b"), in_use=False)
    assert why is not None and "already" in why
    assert seen.requested == "b"


def test_nothing_starts_beside_a_running_refresh_and_it_is_not_forgotten() -> None:
    why, seen = decide("b", {"a"}, Seen("b", ""), in_use=True)
    assert why == "a refresh is running"
    assert decide("b", {"a"}, seen, in_use=False)[0] is None


def test_files_that_come_back_are_asked_for_again_where_another_version_was_published_meanwhile() -> None:
    why, _ = decide("a", {"b"}, Seen("a", "a", "1"), in_use=False, version="2")
    assert why is None
    why, _ = decide("a", {"b"}, Seen("a", "a", "2"), in_use=False, version="2")
    assert why is not None and "already" in why


def zone_of(folder: Path) -> Path:
    (folder / "order_lines").mkdir(parents=True)
    (folder / "order_lines" / "a.csv").write_text(
        "order_id,customer_id,product_id,ordered_at,quantity,amount\no1,c1,p1,2026-01-01,1,2\n"
    )
    return folder


def test_the_look_from_outside_equals_what_landing_notes(tmp_path: Path) -> None:
    zone = zone_of(tmp_path / "zone")
    assert zone_fingerprint(zone) == land(zone, tmp_path / "landed").fingerprint


@pytest.mark.parametrize("change", ["add", "change", "touch", "remove", "rename"])
def test_every_change_of_a_file_is_seen(tmp_path: Path, change: str) -> None:
    zone = zone_of(tmp_path / "zone")
    path = zone / "order_lines" / "a.csv"
    before = zone_fingerprint(zone)
    if change == "add":
        (zone / "order_lines" / "b.csv").write_text("x\n")
    elif change == "change":
        path.write_text(path.read_text().replace("o1", "o2"))
    elif change == "touch":
        os.utime(path, (1, 1))
    elif change == "remove":
        path.unlink()
    else:
        path.rename(path.with_name("c.csv"))
    assert zone_fingerprint(zone) != before


def test_what_is_no_table_is_not_looked_at(tmp_path: Path) -> None:
    zone = zone_of(tmp_path / "zone")
    before = zone_fingerprint(zone)
    (zone / "notes").mkdir()
    (zone / "notes" / "a.csv").write_text("x")
    (zone / "order_lines" / "_SUCCESS").write_text("")
    assert zone_fingerprint(zone) == before


def version_of(settings: Settings, name: str, fingerprint: str) -> Path:
    folder = settings.versions_dir / name
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"refresh_id": name, "landing_fingerprint": fingerprint}))
    return folder


def test_a_version_that_was_rolled_back_counts_as_published_and_one_never_linked_does_not(tmp_path: Path) -> None:
    settings = Settings(None, tmp_path, None, "UTC", "duckdb")
    for name, fingerprint in (("1", "a"), ("2", "rolled back"), ("3", "never linked")):
        version_of(settings, name, fingerprint)
    settings.published_link.symlink_to(settings.versions_dir / "1")
    now = datetime.now(UTC)
    note(settings, refresh_row("2", date(2026, 1, 1), now, now, RowAccount(1, 1, 0, 0), CheckCounts()))
    assert published_fingerprints(settings) == {"a", "rolled back"}


def test_a_version_that_was_replaced_counts_no_more(tmp_path: Path) -> None:
    """A file that came with the second version and is taken away leaves what the first was made from."""
    settings = Settings(None, tmp_path, None, "UTC", "duckdb")
    now = datetime.now(UTC)
    rows = []
    for name, fingerprint in (("1", "a"), ("2", "a and b")):
        version_of(settings, name, fingerprint)
        rows += refresh_row(name, date(2026, 1, 1), now, now, RowAccount(1, 1, 0, 0), CheckCounts()).to_pylist()
    note(settings, pa.Table.from_pylist(rows, schema=SCHEMA))
    settings.published_link.symlink_to(settings.versions_dir / "2")
    assert published_fingerprints(settings) == {"a and b"}


def test_a_version_without_a_fingerprint_is_like_no_files(tmp_path: Path) -> None:
    settings = Settings(None, tmp_path, None, "UTC", "duckdb")
    settings.published_link.symlink_to(version_of(settings, "1", ""))
    assert published_fingerprints(settings) == set()


def test_a_lock_is_seen_while_its_holder_lives(tmp_path: Path) -> None:
    settings = Settings(None, tmp_path, None, "UTC", "duckdb")
    assert not is_in_use(settings)
    with refresh_lock(settings.lock_file):
        assert is_in_use(settings)
    assert not is_in_use(settings)
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    )
    with refresh_lock(settings.lock_file):
        holder = json.loads(settings.lock_file.read_text())
        settings.lock_file.write_text(json.dumps({**holder, "pid": int(gone.stdout)}))
        assert not is_in_use(settings)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone tells when a process started")
def test_a_process_that_has_the_number_of_a_holder_that_is_gone_is_not_the_holder(tmp_path: Path) -> None:
    settings = Settings(None, tmp_path, None, "UTC", "duckdb")
    with refresh_lock(settings.lock_file):
        holder = json.loads(settings.lock_file.read_text())
    settings.lock_file.write_text(json.dumps(holder))
    assert is_in_use(settings)
    settings.lock_file.write_text(json.dumps({**holder, "process_start": "1"}))
    assert not is_in_use(settings)
    # As earlier versions wrote it.
    del holder["process_start"]
    settings.lock_file.write_text(json.dumps(holder))
    assert is_in_use(settings)


def test_the_sensor_asks_once_for_new_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = zone_of(tmp_path / "zone")
    monkeypatch.setenv("LANDING_DIR", str(zone))
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    sensor, cursor, asked = landing_sensor(), None, []
    with DagsterInstance.ephemeral() as instance:
        for _ in range(4):
            result = sensor(build_sensor_context(instance=instance, cursor=cursor))
            assert isinstance(result, SensorResult)
            cursor = result.cursor
            asked.append(len(result.run_requests or []))
    assert asked == [0, 1, 0, 0]


MAPPING = """
from: export
tables:
  order_lines:
    - file: "*.csv"
      columns: {order_id: o, customer_id: c, product_id: p, ordered_at: t, quantity: q, amount: a}
"""


def test_with_a_mapping_the_sensor_looks_at_the_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the mapping makes of it changes only in a refresh."""
    monkeypatch.delenv("LANDING_DIR", raising=False)
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    monkeypatch.setenv("MAPPING", str(tmp_path / "mapping.yml"))
    (tmp_path / "mapping.yml").write_text(MAPPING)
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "a.csv").write_text("o,c,p,t,q,a\no1,c1,p1,2026-01-01,1,2\n")
    settings = read_settings()
    landed = prepare(settings).fingerprint
    assert look_from_outside(settings) == landed
    settings.published_link.symlink_to(version_of(settings, "1", landed))
    sensor, cursor, asked = landing_sensor(), None, []
    with DagsterInstance.ephemeral() as instance:
        for look in range(4):
            if look == 1:
                (tmp_path / "export" / "b.csv").write_text("o,c,p,t,q,a\no2,c1,p1,2026-01-02,1,2\n")
            result = sensor(build_sensor_context(instance=instance, cursor=cursor))
            assert isinstance(result, SensorResult)
            cursor = result.cursor
            asked.append(len(result.run_requests or []))
    assert asked == [0, 0, 1, 0]
    assert prepare(settings).fingerprint == look_from_outside(settings) != landed


def test_the_sensor_leaves_the_demo_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANDING_DIR", raising=False)
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    with DagsterInstance.ephemeral() as instance:
        skipped = landing_sensor()(build_sensor_context(instance=instance))
    assert "LANDING_DIR" in skipped.skip_message
