"""Out and back again with a real refresh: audiences handed over, sent, receipts landed, and counted by the next one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from orchestration.audiences.handover.folder import FolderTarget
from orchestration.audiences.handover.lists import hand_over, read_ledger
from orchestration.audiences.handover.postgres import PostgresTarget
from orchestration.audiences.handover.receipts import take_receipts
from orchestration.audiences.handover.target import TargetError
from orchestration.publication.postgres.server import Server
from orchestration.settings import Settings
from tests.support import postgres_server, project
from tests.support.growing_zone import TwoDays, Warehouse, copy_warehouse
from tests.support.handed_over import version
from tests.support.postgres_server import PASSWORD, PostgresServer, rows

pytestmark = pytest.mark.slow

MONDAY = [("email", "a", "t1", 'Hello, "friend"\n\\N'), ("email", "b", "t1", ""), ("sms", "c", "t2", "Hi")]
TUESDAY = [("email", "a", "t1", "Good day"), ("email", "d", "t1", "Hello")]


@pytest.fixture(scope="module")
def running() -> Iterator[PostgresServer]:
    with postgres_server.running() as found:
        yield found


# ---- PostgreSQL as a target -----------------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "landing").mkdir()
    return Settings(tmp_path / "landing", tmp_path / "warehouse", None, "UTC", "duckdb")


def test_senders_find_lists_changes_and_a_place_for_receipts(running: PostgresServer, settings: Settings) -> None:
    dsn = running.database("target")
    target = PostgresTarget(Server(dsn))
    first = hand_over(settings, version(settings, 5, MONDAY), target)
    assert first is not None
    listed = "select member_id, message, offer, offer_item from segments_audiences.send_email order by 1"
    assert rows(dsn, listed) == [("a", 'Hello, "friend"\n\\N', "-10 %", None), ("b", "", "-10 %", None)]
    rows(dsn, "create role sender login password 'send'")
    rows(dsn, "grant usage on schema segments_audiences to sender")
    rows(dsn, "grant select on all tables in schema segments_audiences to sender")
    rows(dsn, "grant insert on segments_audiences.receipts to sender")
    # A table that an earlier release made, without one of the columns.
    rows(dsn, "alter table segments_audiences.send_email drop column evidence")
    target.write(first)
    assert rows(dsn, "select count(*) from segments_audiences.hand_overs") == [(1,)]
    hand_over(settings, version(settings, 6, TUESDAY), target)
    sender = running.dsn("target", "sender", "send")
    assert rows(sender, listed) == [("a", "Good day", "-10 %", None), ("d", "Hello", "-10 %", None)]
    assert rows(sender, "select count(*) from segments_audiences.send_sms") == [(0,)]
    last = "(select max(hand_over) from segments_audiences.hand_overs)"
    changed = f"select channel, change, member_id from segments_audiences.changes where hand_over = {last} order by 3"
    assert rows(sender, changed) == [
        ("email", "changed", "a"),
        ("email", "removed", "b"),
        ("sms", "removed", "c"),
        ("email", "added", "d"),
    ]
    ((touch,),) = rows(sender, "select touchpoint_id from segments_audiences.send_email where member_id = 'd'")
    into = "insert into segments_audiences.receipts (touchpoint_id, sent_at, cost) values"
    rows(sender, f"{into} ('{touch}', '2026-01-06 10:00+01', 0.05), ('tp-x', now(), null)")
    taken = take_receipts(settings, [target])
    assert (taken.touchpoints, dict(taken.refused)) == (
        1,
        {"receipts: a touchpoint_id that was never handed over": 1},
    )
    assert settings.landing_dir is not None
    (file,) = (settings.landing_dir / "touchpoints").glob("*.csv")
    assert file.read_text().splitlines()[1] == f"{touch},d,2026-01-06T09:00:00Z,email,t1,,,,0.05"
    assert target.forget("a")
    assert rows(dsn, "select count(*) from segments_audiences.changes where member_id = 'a'") == [(0,)]
    assert rows(dsn, "select member_id from segments_audiences.send_email") == [("d",)]


def test_a_version_gone_back_to_takes_the_place_of_the_one_taken_back(
    running: PostgresServer, settings: Settings
) -> None:
    dsn = running.database("target_back")
    target = PostgresTarget(Server(dsn))
    monday, tuesday = version(settings, 5, MONDAY), version(settings, 6, TUESDAY)
    first = hand_over(settings, monday, target)
    hand_over(settings, tuesday, target)
    assert first is not None
    for _ in range(2):
        hand_over(settings, monday, target)
        assert rows(dsn, "select member_id from segments_audiences.send_email order by 1") == [("a",), ("b",)]
        assert rows(dsn, "select member_id from segments_audiences.send_sms") == [("c",)]
        last = "select hand_over, sent from segments_audiences.hand_overs order by handed_over_at desc"
        assert rows(dsn, last)[0] == (first.id, 3)
        changed = "select change, member_id from segments_audiences.changes where hand_over = '{}' order by 2"
        assert rows(dsn, changed.format(first.id)) == [
            ("changed", "a"),
            ("added", "b"),
            ("added", "c"),
            ("removed", "d"),
        ]
    assert rows(dsn, "select count(*) from segments_audiences.hand_overs") == [(2,)]


def test_a_hand_over_that_fails_half_way_is_not_there(running: PostgresServer, settings: Settings) -> None:
    dsn = running.database("target_torn")
    target = PostgresTarget(Server(dsn))
    hand_over(settings, version(settings, 5, MONDAY), target)
    rows(dsn, "alter table segments_audiences.changes add constraint odd check (change <> 'added') not valid")
    with pytest.raises(TargetError, match="odd") as raised:
        hand_over(settings, version(settings, 6, TUESDAY), target)
    assert PASSWORD not in str(raised.value)
    assert rows(dsn, "select count(*) from segments_audiences.send_sms") == [(1,)]
    assert {row["member_id"] for row in read_ledger(settings.state_dir / "audience_hand_overs.parquet")} == {*"abc"}
    rows(dsn, "alter table segments_audiences.changes drop constraint odd")
    hand_over(settings, version(settings, 7, TUESDAY), target)
    assert rows(dsn, "select count(*) from segments_audiences.send_sms") == [(0,)]


# ---- the whole way --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """What happened: the warehouse after the second refresh, what was sent, what was printed, and where else it is."""

    warehouse: Warehouse
    outbox: Path
    dsn: str
    sent: dict[str, dict[str, str]]
    output: str


@pytest.fixture(scope="module")
def way(two_days: TwoDays, running: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Way:
    """The first day's audiences handed over, half of a channel sent, and the second day's refresh."""
    base = tmp_path_factory.mktemp("way")
    shutil.copytree(two_days.before.landing_dir, base / "landing")
    warehouse = Warehouse(copy_warehouse(two_days.before, base / "warehouse").folder, base / "landing")
    outbox, dsn = base / "outbox", running.database("shop")
    variables = {"AUDIENCE_TARGET": f"{outbox} postgres", "PUBLISH_POSTGRES_DSN": dsn}

    def command(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "orchestration", *words],
            cwd=project.ROOT,
            env=warehouse.environment(**variables),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    command("hand-over")
    latest = outbox / json.loads((outbox / "latest.json").read_text())["folder"]
    files = [p for p in sorted(latest.glob("*.parquet")) if ".changes." not in p.name]
    listed = [row | {"channel": p.stem} for p in files for row in pq.read_table(p).to_pylist()]
    sent = {row["touchpoint_id"]: row for row in listed[::2]}
    day = two_days.before.manifest()["as_of"]
    (outbox / "receipts").mkdir()
    lines = [f"{touch},{day}T09:00:00Z,sent,0.5" for touch in sent]
    (outbox / "receipts" / "sent.csv").write_text("\n".join(["touchpoint_id,sent_at,status,cost", *lines]) + "\n")
    assert f"{len(sent)} touchpoints and 0 responses landed" in command("receipts")
    return Way(warehouse, outbox, dsn, sent, warehouse.refresh(**variables))


def test_what_was_sent_is_counted_by_the_treatment_that_it_was(way: Way) -> None:
    assert len(way.sent) >= 5
    expected: dict[tuple[str, str], int] = {}
    for row in way.sent.values():
        key = (row["channel"], row["treatment_id"])
        expected[key] = expected.get(key, 0) + 1
    # Each scheme counts every touchpoint of its audience once.
    found = way.warehouse.rows(
        "select channel, treatment_id, sum(touchpoints), sum(cost) from segment_deliveries"
        " where scheme = 'rfm' and treatment_id <> 'none' group by all"
    )
    assert {(channel, treatment): n for channel, treatment, n, _ in found} == expected
    assert float(sum(cost for *_, cost in found)) == pytest.approx(0.5 * len(way.sent))


def test_delivery_counts_the_treatment_among_what_members_were_sent(way: Way) -> None:
    with duckdb.connect(str(way.warehouse.folder / "build" / "warehouse.duckdb"), read_only=True) as con:
        found = {
            member: (touches, categories)
            for member, touches, categories in con.execute(
                "select member_id, touches, sent_categories from delivery_members where scheme = 'rfm'"
            ).fetchall()
        }
    sent = {row["member_id"]: row["treatment_id"] for row in way.sent.values()}
    assert len(found) > 30 and sent.keys() & found.keys()
    # Everybody had one touch before; sets that are rare are told as `other`.
    assert {member: touches for member, (touches, _) in found.items()} == {
        member: 1 + (member in sent) for member in found
    }
    for member, (_, categories) in found.items():
        assert member not in sent or sent[member] in categories.split(" + ") or categories == "other"


def test_who_was_sent_something_has_left_the_list(way: Way) -> None:
    ledger = read_ledger(way.warehouse.folder / "state" / "audience_hand_overs.parquet")
    current = {row["touchpoint_id"] for row in ledger if row["is_current"]}
    assert not current & set(way.sent)
    latest = way.outbox / json.loads((way.outbox / "latest.json").read_text())["folder"]
    changes = [row for p in latest.glob("*.changes.parquet") for row in pq.read_table(p).to_pylist()]
    removed = {row["touchpoint_id"] for row in changes if row["change"] == "removed"}
    assert set(way.sent) <= removed


def test_the_refresh_has_published_and_handed_over_in_every_place(way: Way) -> None:
    manifest = way.warehouse.manifest()
    assert rows(way.dsn, "select max(refresh_id) from segments.refreshes") == [(manifest["refresh_id"],)]
    for name, table in manifest["tables"].items():
        assert rows(way.dsn, f'select count(*) from segments."{name}"') == [(table["rows"],)], name
    assert rows(way.dsn, "select count(*) from segments_audiences.hand_overs") == [(2,)]
    handed = {path.name.rsplit("-", 1)[0] for path in way.outbox.glob("2*")}
    assert manifest["refresh_id"] in handed
    assert "PostgreSQL" in way.output and "schema segments of database shop" in way.output
    assert str(way.outbox) in way.output
    everywhere = [p for p in way.warehouse.folder.parent.rglob("*") if p.is_file() and not p.is_symlink()]
    assert [p for p in everywhere if PASSWORD.encode() in p.read_bytes()] == []


def test_the_ready_questions_answer_there_what_they_answer_here(way: Way) -> None:
    with duckdb.connect(str(way.warehouse.published.resolve() / "segments.duckdb"), read_only=True) as con:
        views = [name for (name,) in con.execute("select view_name from duckdb_views() where not internal").fetchall()]
        assert len(views) >= 7
        for view in views:
            here = con.execute(f"from {view}").fetchall()
            there = rows(way.dsn, f"select * from segments.{view}")
            assert sorted(map(_rounded, here)) == sorted(map(_rounded, there)), view


def _rounded(row: tuple[object, ...]) -> str:
    from decimal import Decimal

    return repr([f"{float(v):.9g}" if isinstance(v, float | Decimal) else v for v in row])


STEP = """
from dagster import AssetKey, DagsterInstance
from orchestration.definitions import defs
with DagsterInstance.get() as instance:
    result = defs.resolve_job_def("refresh").execute_in_process(
        instance=instance, asset_selection=[AssetKey("published_postgres")], raise_on_error=False
    )
    print("succeeded" if result.success else "failed")
"""


def test_a_step_with_a_wrong_password_fails_and_nothing_holds_it(way: Way, running: PostgresServer) -> None:
    secret = "wrong-geheim-2468"
    home = way.warehouse.folder.parent
    dsn = running.dsn("shop", password=secret)
    done = subprocess.run(
        [sys.executable, "-c", STEP],
        cwd=project.ROOT,
        env=way.warehouse.environment(PUBLISH_POSTGRES_DSN=dsn),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    said = done.stdout + done.stderr
    assert "failed" in done.stdout.split()
    assert "password authentication failed" in said and "make postgres publishes there" in said
    assert secret not in said
    files = [p for p in home.rglob("*") if p.is_file() and not p.is_symlink()]
    assert any(b"password authentication failed" in p.read_bytes() for p in files), "Dagster keeps what it was told"
    assert [p for p in files if secret.encode() in p.read_bytes()] == []


def test_nothing_of_a_folder_target_is_left_half_written(way: Way) -> None:
    assert list(way.outbox.rglob("*.part")) == []
    assert FolderTarget(str(way.outbox)).name == str(way.outbox)
