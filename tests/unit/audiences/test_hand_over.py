"""Hand-overs: lists and differences, what a sender sees of a folder, receipts, forgetting, a class of one's own."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orchestration.audiences import commands as command
from orchestration.audiences.forget import forget
from orchestration.audiences.handover.chosen import targets_of
from orchestration.audiences.handover.folder import FolderTarget
from orchestration.audiences.handover.lists import COLUMNS, _hand_over, hand_over, hand_over_to_all, read_ledger
from orchestration.audiences.handover.receipts import COLUMNS as RECEIPT_COLUMNS
from orchestration.audiences.handover.receipts import RESPONSE_COLUMNS, TOUCHPOINT_COLUMNS, Taken, _take, take_receipts
from orchestration.audiences.handover.target import HandOver, Target, TargetError
from orchestration.settings import PROJECT_DIR, Settings, SettingsError
from orchestration.storage.files import sha256_of
from tests.support.handed_over import version

MONDAY = [("email", "a", "t1", "Hello"), ("email", "b", "t1", "Hello"), ("sms", "c", "t2", "Hi")]
# b has gone, d has come, the message for a is another one; nobody is on the list for sms.
TUESDAY = [("email", "a", "t1", "Good day"), ("email", "d", "t1", "Hello")]
Listed = dict[tuple[str, str, str], str | None]
PERSON = "customer-to-be-forgotten-7531"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "landing").mkdir()
    return Settings(tmp_path / "landing", tmp_path / "warehouse", None, "UTC", "duckdb")


class Kept(Target):
    """Keeps what it is given; refuses where it is told to."""

    def __init__(self, name: str = "kept") -> None:
        self._name = name
        self.given: list[HandOver] = []
        self.refuses = False

    @property
    def name(self) -> str:
        return self._name

    def write(self, hand_over: HandOver) -> None:
        if self.refuses:
            raise ConnectionError("no answer")
        self.given.append(hand_over)


def changes(given: HandOver) -> set[tuple[str, str, str]]:
    return {
        (row["change"], channel, row["member_id"])
        for channel, table in given.changes.items()
        for row in table.to_pylist()
    }


def ids(given: HandOver) -> dict[str, str]:
    return {row["member_id"]: row["touchpoint_id"] for table in given.lists.values() for row in table.to_pylist()}


# ---- lists and differences ------------------------------------------------------------------------------------------


def test_a_list_holds_what_a_sender_needs_and_nothing_else(settings: Settings) -> None:
    target = Kept()
    hand_over(settings, version(settings, 5, MONDAY), target)
    (given,) = target.given
    assert {channel: table.num_rows for channel, table in given.lists.items()} == {"email": 2, "sms": 1}
    row = given.lists["sms"].to_pylist()[0]
    assert tuple(row) == COLUMNS
    assert row.pop("touchpoint_id").startswith("tp-")
    assert {k: str(v) for k, v in row.items() if v is not None} == {
        "member_id": "c",
        "treatment_id": "t2",
        "scheme": "rfm",
        "segment": "at_risk",
        "message": "Hi",
        "offer": "-10 %",
        "priority": "1",
        "valid_from": "2026-01-01",
        "send_on": "2026-01-05",
    }
    assert (given.since, given.id[:16]) == (None, "20260105T050000Z")


def test_the_difference_is_against_what_this_target_took_last(settings: Settings) -> None:
    daily, weekly = Kept("daily"), Kept("weekly")
    monday = version(settings, 5, MONDAY)
    for target in (daily, weekly):
        hand_over(settings, monday, target)
    hand_over(settings, version(settings, 6, TUESDAY), daily)
    assert changes(daily.given[1]) == {
        ("removed", "email", "b"),
        ("added", "email", "d"),
        ("changed", "email", "a"),
        ("removed", "sms", "c"),
    }
    assert daily.given[1].counts == {"email": {"added": 1, "changed": 1, "removed": 1}, "sms": {"removed": 1}}
    # Nobody is to be written to by sms any more: the sender is told so by an empty list.
    assert daily.given[1].lists["sms"].num_rows == 0
    # On Wednesday b is back: for the one who was away on Tuesday, nothing has happened to b.
    wednesday = version(settings, 7, [*TUESDAY, ("email", "b", "t1", "Hello")])
    for target in (daily, weekly):
        hand_over(settings, wednesday, target)
    assert changes(daily.given[2]) == {("added", "email", "b")}
    assert changes(weekly.given[1]) == {("changed", "email", "a"), ("added", "email", "d"), ("removed", "sms", "c")}
    assert weekly.given[1].since == weekly.given[0].id


def test_a_touchpoint_keeps_its_id_while_it_is_on_the_list_and_gets_another_one_later(settings: Settings) -> None:
    target = Kept()
    for day, audiences in enumerate([MONDAY, TUESDAY, MONDAY], start=5):
        hand_over(settings, version(settings, day, audiences), target)
    monday, tuesday, wednesday = (ids(given) for given in target.given)
    assert monday["a"] == tuesday["a"] == wednesday["a"]
    assert monday["b"] != wednesday["b"]
    assert len({*monday.values(), *tuesday.values(), *wednesday.values()}) == 6


def test_the_same_audiences_are_handed_over_once(settings: Settings) -> None:
    target = Kept()
    monday = version(settings, 5, MONDAY)
    assert hand_over(settings, monday, target) is not None
    assert hand_over(settings, monday, target) is None
    assert len(target.given) == 1


def test_a_target_that_refuses_is_told_the_whole_difference_the_next_time(settings: Settings) -> None:
    good, bad = Kept("good"), Kept("bad")
    version(settings, 5, MONDAY)
    hand_over_to_all(settings, [bad, good])
    version(settings, 6, TUESDAY)
    bad.refuses = True
    with pytest.raises(TargetError, match="bad: ConnectionError: no answer"):
        hand_over_to_all(settings, [bad, good])
    assert len(good.given) == 2
    bad.refuses = False
    hand_over_to_all(settings, [bad, good])
    assert changes(bad.given[1]) == changes(good.given[1])
    assert len(good.given) == 2


def test_what_nobody_has_read_does_not_leave(settings: Settings) -> None:
    target = Kept()
    hand_over(settings, version(settings, 5, MONDAY, is_reviewed=False), target)
    assert target.given[0].lists == {}


LISTS = st.dictionaries(
    st.tuples(st.sampled_from(["email", "sms"]), st.sampled_from("abcde"), st.sampled_from(["t1", "t2"])),
    st.sampled_from(["Hello", "Hi", None]),
)


@given(LISTS, LISTS)
def test_the_changes_make_the_new_list_of_the_old_one(before: Listed, now: Listed) -> None:
    found = _hand_over("id", date(2026, 1, 5), _rows(before), _rows(now), None)
    kept = dict(before)
    for channel, table in found.changes.items():
        for row in table.to_pylist():
            key = (channel, row["member_id"], row["treatment_id"])
            assert (row["change"] == "added") == (key not in kept)
            if row["change"] == "removed":
                del kept[key]
            else:
                assert kept.get(key, "nobody") != row["message"]
                kept[key] = row["message"]
    assert kept == now
    assert {(c, r["member_id"], r["treatment_id"]) for c, t in found.lists.items() for r in t.to_pylist()} == set(now)


def _rows(listed: Listed) -> dict[tuple[str, str, str], dict[str, Any]]:
    empty = dict.fromkeys(COLUMNS)
    return {
        key: empty | {"channel": key[0], "member_id": key[1], "treatment_id": key[2], "message": message}
        for key, message in listed.items()
    }


# ---- a folder -------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["path", "file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A folder that is not there yet, by each of three ways."""
    where = {"path": str(tmp_path / "out"), "file": f"file://{tmp_path}/out", "memory": f"memory://{tmp_path.name}/out"}
    yield where[request.param]
    fsspec.filesystem("memory").store.clear()


def read(url: str, name: str) -> bytes:
    with fsspec.open(f"{url}/{name}", "rb") as file:
        return bytes(file.read())


def test_a_sender_follows_latest_to_a_complete_hand_over(settings: Settings, url: str) -> None:
    target = FolderTarget(url)
    hand_over(settings, version(settings, 5, MONDAY), target)
    hand_over(settings, version(settings, 6, TUESDAY), target)
    latest = json.loads(read(url, "latest.json"))
    manifest = json.loads(read(url, f"{latest['folder']}/manifest.json"))
    assert manifest["as_of"] == "2026-01-06"
    assert manifest["changes"]["email"] == {"added": 1, "changed": 1, "removed": 1}
    files, root = fsspec.core.url_to_fs(url)
    there = {p.rsplit("/", 1)[-1] for p in files.find(f"{root}/{latest['folder']}")}
    assert there == {*manifest["files"], "manifest.json"}
    assert set(manifest["files"]) == {
        f"{channel}{what}.{kind}"
        for channel in ("email", "sms")
        for what in ("", ".changes")
        for kind in ("csv", "parquet")
    }
    table = pq.read_table(pa.BufferReader(read(url, f"{latest['folder']}/email.parquet")))
    rows = list(csv.DictReader(read(url, f"{latest['folder']}/email.csv").decode().splitlines()))
    assert [row["member_id"] for row in rows] == table.column("member_id").to_pylist() == ["a", "d"]
    # A spreadsheet would compute it; the Parquet file holds it as it is.
    assert (rows[0]["offer"], table.column("offer")[0].as_py()) == ("'-10 %", "-10 %")
    assert manifest["files"]["email.parquet"]["rows"] == 2


def test_a_version_gone_back_to_is_handed_over_with_what_changed_since_the_one_taken_back(
    settings: Settings, url: str
) -> None:
    target = FolderTarget(url)
    monday, tuesday = version(settings, 5, MONDAY), version(settings, 6, TUESDAY)
    given = [hand_over(settings, day, target) for day in (monday, tuesday, monday)]
    assert given[0] is not None and given[1] is not None and given[2] is not None
    assert given[0].id == given[2].id
    latest = json.loads(read(url, "latest.json"))["folder"]
    manifest = json.loads(read(url, f"{latest}/manifest.json"))
    assert (latest, manifest["since"]) == (given[0].id, given[1].id)
    assert manifest["changes"] == {"email": {"added": 1, "changed": 1, "removed": 1}, "sms": {"added": 1}}
    changed = pq.read_table(pa.BufferReader(read(url, f"{latest}/email.changes.parquet"))).to_pylist()
    assert {(row["change"], row["member_id"]) for row in changed} == {
        ("changed", "a"),
        ("added", "b"),
        ("removed", "d"),
    }
    listed = pq.read_table(pa.BufferReader(read(url, f"{latest}/email.parquet"))).column("member_id").to_pylist()
    assert listed == ["a", "b"]


def test_a_version_gone_back_to_has_another_id_where_a_row_from_before_it_had_left(settings: Settings) -> None:
    target = Kept()
    tuesday = version(settings, 6, MONDAY)
    for day in (version(settings, 5, MONDAY), tuesday, version(settings, 7, TUESDAY), tuesday):
        hand_over(settings, day, target)
    _, first, _, again = target.given
    assert first.id != again.id and first.id.rpartition("-")[0] == again.id.rpartition("-")[0]
    assert ids(first)["a"] == ids(again)["a"] and ids(first)["b"] != ids(again)["b"]


class Torn(Exception):
    """The machine went away."""


def test_whatever_stops_a_hand_over_a_sender_sees_the_one_before(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    target = FolderTarget(str(out))
    hand_over(settings, version(settings, 5, MONDAY), target)
    before = json.loads((out / "latest.json").read_text())
    tuesday = version(settings, 6, TUESDAY)
    puts = FolderTarget._put
    for moment in range(8 + 2):
        done = iter(range(100))

        def put(self: FolderTarget, files: Any, path: str, data: bytes, moment: int = moment, done: Any = done) -> str:
            if next(done) == moment:
                Path(path).parent.mkdir(exist_ok=True)
                (Path(path).parent / f".{Path(path).name}.part").write_bytes(data[: len(data) // 2])
                raise Torn
            return puts(self, files, path, data)

        monkeypatch.setattr(FolderTarget, "_put", put)
        with pytest.raises(TargetError, match="Torn"):
            hand_over(settings, tuesday, target)
        assert json.loads((out / "latest.json").read_text()) == before
        for folder in (p.parent for p in out.glob("*/manifest.json")):
            for name, entry in json.loads((folder / "manifest.json").read_text())["files"].items():
                assert sha256_of(folder / name) == entry["sha256"]
        # The attempt that ended behind the manifest is a complete one, which nobody has been sent to yet.
        for unfinished in out.glob("20260106*"):
            assert (moment < 9 and not (unfinished / "manifest.json").exists()) or moment == 9
    monkeypatch.setattr(FolderTarget, "_put", puts)
    hand_over(settings, tuesday, target)
    assert json.loads((out / "latest.json").read_text())["as_of"] == "2026-01-06"
    assert len(list(out.glob("2026*"))) == 2
    assert not [p for p in (out / json.loads((out / "latest.json").read_text())["folder"]).rglob(".*")]


def test_old_hand_overs_go_and_nothing_else(settings: Settings, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "notes").mkdir(parents=True)
    (out / "20260101T050000Z-mine").mkdir()
    target = FolderTarget(str(out), keep=2)
    for day, audiences in enumerate([MONDAY, TUESDAY, MONDAY], start=5):
        hand_over(settings, version(settings, day, audiences), target)
    assert sorted(p.name[:16] for p in out.iterdir()) == [
        "20260101T050000Z",
        "20260106T050000Z",
        "20260107T050000Z",
        "latest.json",
        "notes",
    ]


def test_no_message_holds_the_secrets_of_a_url(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    version(settings, 5, MONDAY)
    for url in (
        "nosuch://ada:s3cret-9876@example.invalid/out?key=s3cret-9876",
        f"file://ada:s3cret-9876@{tmp_path}/out\0",
        f"file://ada:s3cret-9876@{tmp_path}/out",
    ):
        target = FolderTarget(url)
        with pytest.raises(TargetError) as raised:
            hand_over_to_all(settings, [target])
        assert "s3cret" not in str(raised.value) and "9876" not in target.name
    assert not list(tmp_path.glob("*s3cret*"))
    assert FolderTarget("sftp://ada:s3cret@example.org:22/in/box/").name == "sftp://example.org:22/in/box"


# ---- receipts -------------------------------------------------------------------------------------------------------


def landed(settings: Settings, table: str) -> list[dict[str, str]]:
    assert settings.landing_dir is not None
    found = []
    for path in sorted((settings.landing_dir / table).glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found += list(csv.DictReader(file))
    return found


def test_receipts_land_once_as_touchpoints_and_responses(settings: Settings, tmp_path: Path) -> None:
    target = FolderTarget(str(tmp_path / "out"))
    memory = Kept()
    monday = version(settings, 5, MONDAY)
    hand_over(settings, monday, target)
    hand_over(settings, monday, memory)
    of = ids(memory.given[0])
    box = tmp_path / "out" / "receipts"
    box.mkdir()
    (box / "monday.csv").write_text(
        f"\ufefftouchpoint_id;sent_at;status;cost;extra\n{of['a']};2026-01-05T09:00:00Z;delivered;0,02;x\n".replace(
            "0,02", "0.02"
        )
        + f"{of['b']};2026-01-05T09:00:01Z;bounced;;\n"
        f"{of['c']};2026-01-05T09:00:02Z;;0.07;\n"
        f"{of['a']};2026-01-05T10:00:00Z;opened;;\n"
        f"{of['a']};2026-01-05T11:00:00Z;unsubscribed;;\n"
        "tp-unknown;2026-01-05T09:00:00Z;sent;;\n"
        f"{of['c']};yesterday;sent;;\n"
        f"{of['c']};2026-01-05T09:00:00Z;lost;;\n",
        encoding="utf-8",
    )
    (box / ".half.csv.part").write_text("touch")
    taken = take_receipts(settings, [target])
    assert (taken.touchpoints, taken.responses, taken.known, taken.not_sent) == (2, 2, 0, 1)
    assert sorted(re.sub(r".*: ", "", why.split(" that ")[0]) for why in taken.refused) == [
        "a sent_at",
        "a touchpoint_id",
        "status 'lost' is none of sent, delivered, opened, clicked, redeemed, purchased, unsubscribed, failed, bounced,"
        " suppressed, skipped",
    ]
    touches = {row["touchpoint_id"]: row for row in landed(settings, "touchpoints")}
    assert set(touches) == {of["a"], of["c"]}
    assert touches[of["a"]] == {
        "touchpoint_id": of["a"],
        "customer_id": "a",
        "touched_at": "2026-01-05T09:00:00Z",
        "channel": "email",
        "treatment_id": "t1",
        "message_id": "",
        "campaign_id": "",
        "campaign_type": "",
        "cost": "0.02",
    }
    assert [(r["customer_id"], r["kind"], r["touchpoint_id"]) for r in landed(settings, "responses")] == [
        ("a", "open", of["a"]),
        ("a", "unsubscribe", of["a"]),
    ]
    # Taken again, with one more: only that one lands.
    pq.write_table(pa.table({"touchpoint_id": [of["b"]], "sent_at": ["2026-01-06T09:00:00Z"]}), box / "tuesday.parquet")
    taken = take_receipts(settings, [target])
    assert (taken.touchpoints, taken.responses, taken.known) == (1, 0, 4)
    assert sorted(row["customer_id"] for row in landed(settings, "touchpoints")) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("said", "lands"),
    [
        ("20261101T093000Z", "2026-11-01T09:30:00Z"),
        ("2026-11-01T09:30:00,5Z", "2026-11-01T09:30:00.500000Z"),
        ("2026-11-01T09Z", "2026-11-01T09:00:00Z"),
        ("2026-11-01 09:30", "2026-11-01T09:30:00"),
        ("2026-11-01T00:30:00+01:00", "2026-11-01T00:30:00+01:00"),
        ("2026-11-01T09:30:00Z", "2026-11-01T09:30:00Z"),
        ("2026-11-01", "2026-11-01"),
        ("20261101", "2026-11-01"),
        ("2026-W44-7T09:30:00Z", "2026-11-01T09:30:00Z"),
        ("01.11.2026", None),
        ("2026-11-01T25:00", None),
        ("2026-11-01T09:30:00+01:00:30", None),
        ("2026-11-01T09:30:00-16:00", None),
    ],
)
def test_a_time_in_any_form_of_iso_lands_as_staging_reads_it(said: str, lands: str | None) -> None:
    handed = {"tp-1": {"member_id": "a", "channel": "email", "treatment_id": "t1"}}
    receipt: dict[str, Any] = dict.fromkeys(RECEIPT_COLUMNS) | {"touchpoint_id": "tp-1", "sent_at": said}
    new: dict[str, dict[str, dict[str, Any]]] = {"touchpoints": {}, "responses": {}}
    taken = Taken()
    _take(receipt, "r.csv", handed, {"touchpoints": set(), "responses": set()}, new, taken)
    assert [row["touched_at"] for row in new["touchpoints"].values()] == ([] if lands is None else [lands])
    assert sum(taken.refused.values()) == (lands is None)


def test_a_receipt_of_a_row_that_has_left_the_list_is_known_still(settings: Settings, tmp_path: Path) -> None:
    target, memory = FolderTarget(str(tmp_path / "out")), Kept()
    monday = version(settings, 5, MONDAY)
    for one in (target, memory):
        hand_over(settings, monday, one)
    hand_over(settings, version(settings, 6, TUESDAY), target)
    (tmp_path / "out" / "receipts").mkdir()
    (tmp_path / "out" / "receipts" / "late.csv").write_text(
        f"touchpoint_id,sent_at\n{ids(memory.given[0])['b']},2026-01-05\n"
    )
    assert take_receipts(settings, [target]).touchpoints == 1


def test_receipts_have_no_place_in_a_mapped_export(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="MAPPING has none"):
        take_receipts(replace(settings, landing_dir=None, mapping_file=tmp_path / "mapping.yml"), [Kept()])
    with pytest.raises(SettingsError, match="LANDING_DIR is not set"):
        take_receipts(replace(settings, landing_dir=None), [Kept()])


def test_the_commands_say_what_they_did(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(settings.warehouse_dir))
    monkeypatch.setenv("LANDING_DIR", str(settings.landing_dir))
    monkeypatch.delenv("AUDIENCE_TARGET", raising=False)
    assert command.main(["hand-over"]) == 2
    monkeypatch.setenv("AUDIENCE_TARGET", str(tmp_path / "out"))
    assert command.main(["hand-over"]) == 1
    version(settings, 5, MONDAY)
    assert command.main(["hand-over"]) == 0
    assert f"{tmp_path}/out: email 2, 2 added; sms 1, 1 added" in capsys.readouterr().out
    (tmp_path / "out" / "receipts").mkdir()
    (tmp_path / "out" / "receipts" / "odd.csv").write_text("touchpoint_id,sent_at\nx,2026-01-05\n")
    assert command.main(["receipts"]) == 1
    said = capsys.readouterr()
    assert "0 touchpoints and 0 responses landed" in said.out
    assert "refused: 1 of odd.csv: a touchpoint_id that was never handed over" in said.err
    (tmp_path / "out" / "receipts" / "odd.csv").write_text("id,at\nx,2026-01-05\n")
    assert command.main(["receipts"]) == 1
    assert "receipts odd.csv: column touchpoint_id, sent_at is missing" in capsys.readouterr().err


# ---- forgetting -----------------------------------------------------------------------------------------------------


def test_who_is_forgotten_is_in_no_hand_over_and_not_in_the_memory(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    monkeypatch.setenv("AUDIENCE_TARGET", str(out))
    for day in (5, 6):
        version(settings, day, [*MONDAY, ("sms", PERSON, "t2", f"Hi {day}")])
        hand_over_to_all(settings, targets_of())
    assert any(PERSON.encode() in p.read_bytes() for p in out.rglob("*.csv"))
    outcome = forget(settings, PERSON)
    assert outcome.left == []
    assert outcome.handed_over == [f"{out}: what was handed over before is gone"]
    assert not any(PERSON.encode() in p.read_bytes() for p in out.rglob("*") if p.is_file())
    latest = json.loads((out / "latest.json").read_text())["folder"]
    assert pq.read_table(out / latest / "sms.parquet").column("member_id").to_pylist() == ["c"]
    ledger = read_ledger(settings.state_dir / "audience_hand_overs.parquet")
    assert {row["member_id"] for row in ledger} == {"a", "b", "c"}


def test_who_left_the_list_before_is_forgotten_in_the_last_hand_over_too(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lists are the same without the person, so nothing new is handed over; the changes name who was removed."""
    out = tmp_path / "out"
    monkeypatch.setenv("AUDIENCE_TARGET", str(out))
    version(settings, 5, [*MONDAY, ("email", PERSON, "t1", "Hello"), ("push", PERSON, "t3", "Hello")])
    hand_over_to_all(settings, targets_of())
    version(settings, 6, TUESDAY)
    hand_over_to_all(settings, targets_of())
    latest = out / json.loads((out / "latest.json").read_text())["folder"]
    names = sorted(p.name for p in latest.iterdir())
    kept = (latest / "sms.changes.csv").stat().st_ino
    assert PERSON in (latest / "email.changes.csv").read_text()
    before = (latest / "manifest.json").read_bytes()
    for _ in range(2):
        assert forget(settings, PERSON).left == []
        assert [p for p in out.iterdir() if p.is_dir()] == [latest]
        assert sorted(p.name for p in latest.iterdir()) == names
        manifest = json.loads((latest / "manifest.json").read_text())
        assert manifest["changes"]["email"] == {"added": 1, "changed": 1, "removed": 1}
        assert manifest["changes"]["push"] == {}
        for name, said in manifest["files"].items():
            assert PERSON.encode() not in (latest / name).read_bytes()
            assert said["sha256"] == sha256_of(latest / name)
        changed = pq.read_table(latest / "email.changes.parquet").to_pylist()
        assert [row["member_id"] for row in changed] == ["a", "b", "d"]
        assert manifest["files"]["email.changes.csv"]["rows"] == 3
        # As if the first attempt had been stopped before the manifest.
        (latest / "manifest.json").write_bytes(before)
    assert (latest / "sms.changes.csv").stat().st_ino == kept


COMPANY = "company-to-be-forgotten-2468"
# pat is a contact of the company alone; kim, who once was, is of another one now, and pat is a customer too.
ROLES = {
    "segment_schemes": "from (values ('rfm', 'person'), ('buying_role', 'company_contact')) as t(scheme, audience)",
    "customer_segments": f"""
        select date '2026-01-05' as as_of, * from (values
            ('rfm', '{COMPANY}'), ('buying_role', 'pat'), ('rfm', 'pat'), ('buying_role', 'kim'), ('buying_role', 'lee')
        ) as t(scheme, member_id)""",
    "company_committees": f"""
        from (values ('{COMPANY}', 'pat'), ('{COMPANY}', 'kim'), ('other', 'lee')) as t(company_id, person_id)""",
    "audience_decisions": f"""
        select 'sent' as outcome, '{COMPANY}' as member_id, 'pat' as person_id, 'rfm' as scheme
        union all select 'holdout', '{COMPANY}', 'pat', 'rfm'
        union all select 'refused', 'pat', 'pat', 'buying_role'
        union all select 'refused', 'lee', 'lee', 'buying_role'""",
}


@pytest.mark.parametrize("is_reviewed", [True, False])
def test_with_a_company_goes_what_was_for_it_and_who_its_contact_persons_were(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, is_reviewed: bool
) -> None:
    monkeypatch.delenv("AUDIENCE_TARGET", raising=False)
    for_company = ("email", "pat", "t1", "You bought BRICKS", COMPANY)
    monday = version(settings, 5, [for_company, ("email", "lee", "t1", "Hi", "other")], is_reviewed, ROLES)
    tuesday = version(settings, 6, [("email", "pat", "t2", "For pat")], is_reviewed, ROLES, previous=monday)
    landed = settings.landed_dir / "company_contacts" / "1.parquet"
    landed.parent.mkdir(parents=True)
    rows = {"person_id": ["pat", "kim", "lee"], "company_id": [COMPANY, "other", "other"], "source_file": ["x"] * 3}
    pq.write_table(pa.table(rows), landed)
    state = settings.state_dir / "treatment_assignments.parquet"
    state.parent.mkdir(parents=True, exist_ok=True)
    assigned = {"scheme": ["buying_role", "rfm", "buying_role"], "member_id": ["pat", "pat", "lee"]}
    pq.write_table(pa.table(assigned), state)
    assert forget(settings, COMPANY).left == []
    assert pq.read_table(state).to_pylist() == [
        {"scheme": "rfm", "member_id": "pat"},
        {"scheme": "buying_role", "member_id": "lee"},
    ]
    for folder in (monday, tuesday):
        of_table = [
            [(row["scheme"], row["member_id"]) for row in rows_of_database(folder, "customer_segments")],
            [
                (row["scheme"], row["member_id"])
                for row in pq.read_table(folder / "parquet" / "customer_segments.parquet").to_pylist()
            ],
        ]
        assert of_table == [[("rfm", "pat"), ("buying_role", "kim"), ("buying_role", "lee")]] * 2
    export = monday / "audiences"
    summary = json.loads((export / "summary.json").read_text())
    assert summary["dropped_by_reason"] == {"refused": 1}
    assert (summary["sent"], summary["withheld"]) == ((1, 0) if is_reviewed else (0, 1))
    assert (summary["why_withheld"] is None) == is_reviewed
    if is_reviewed:
        assert "BRICKS" not in (export / "email.csv").read_text()
        assert pq.read_table(export / "email.parquet").column("member_id").to_pylist() == ["lee"]
        assert summary["sent_by_channel"] == {"email": 1}
        # What pat is sent for herself stays; that she was sent something for the company is said no more.
        assert pq.read_table(tuesday / "audiences" / "email.parquet").column("member_id").to_pylist() == ["pat"]
        difference = (tuesday / "audiences" / "difference.csv").read_text().splitlines()[1:]
        assert difference == ['"added","email","pat","t2"', '"removed","email","lee","t1"']


def rows_of_database(folder: Path, table: str) -> list[dict[str, Any]]:
    with duckdb.connect(str(folder / "segments.duckdb"), read_only=True) as con:
        return con.execute(f"from {table}").to_arrow_table().to_pylist()


def test_a_target_that_cannot_forget_is_told_of(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIENCE_TARGET", f"{__name__}:Kept")
    version(settings, 5, MONDAY)
    assert forget(settings, PERSON).left == ["kept, perhaps: it cannot forget; have them do it there"]
    # Nor is one forgotten that has had audiences and is asked for no more.
    monkeypatch.setenv("AUDIENCE_TARGET", "")
    assert forget(settings, PERSON).handed_over == ["kept was given audiences and is not in AUDIENCE_TARGET now"]


# ---- which targets --------------------------------------------------------------------------------------------------


def test_targets_are_paths_urls_and_classes() -> None:
    found = targets_of({"AUDIENCE_TARGET": f"/srv/out  memory://x/y {__name__}:Kept"})
    assert [target.name for target in found] == ["/srv/out", "memory://x/y", "kept"]
    assert targets_of({}) == []


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("no_such_module:Class", "no_such_module"),
        (f"{__name__}:Nobody", "Nobody"),
        (f"{__name__}:Torn", "is no Target"),
        ("/a /a/", "/a more than once"),
        ("postgres", "PUBLISH_POSTGRES_DSN, which is not set"),
    ],
)
def test_a_target_that_cannot_be_had_is_named(asked: str, said: str) -> None:
    with pytest.raises(TargetError, match=said):
        targets_of({"AUDIENCE_TARGET": asked})


def test_the_guide_maps_every_column_that_receipts_land() -> None:
    guide = (PROJECT_DIR / "docs" / "hand-over.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    for table, columns in (("touchpoints", TOUCHPOINT_COLUMNS), ("responses", RESPONSE_COLUMNS)):
        (entry,) = yaml.safe_load(shown)[table]
        assert entry == {"file": f"receipts/{table}/*.csv", "columns": {name: name for name in columns}}


def test_the_example_of_the_guide_is_a_target(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = (PROJECT_DIR / "docs" / "hand-over.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    assert len(example.strip().splitlines()) <= 15
    (tmp_path / "own_target.py").write_text(example)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    version(settings, 5, MONDAY)
    targets = targets_of({"AUDIENCE_TARGET": "own_target:Outbox"})
    hand_over_to_all(settings, targets)
    version(settings, 6, TUESDAY)
    hand_over_to_all(settings, targets)
    lines = (tmp_path / "outbox.jsonl").read_text().splitlines()
    assert len(lines) == 3 + 4
    assert json.loads(lines[0])["change"] == "added"
    assert os.listdir(tmp_path)
