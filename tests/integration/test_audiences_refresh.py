"""Two refreshes of a small shop as its users run them, then one customer forgotten: arms, exports, and the proof."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.support import shop
from tests.support.project import ROOT, environment, write_landing

pytestmark = pytest.mark.slow

# Distinct enough to be looked for in the bytes of every file.
GONE = "customer-to-be-forgotten-7531"
STAYS = "p00"
FIRST = shop.FIRST_DAY + timedelta(days=shop.DAYS - 30)
SECOND = FIRST + timedelta(days=7)
SALT = "segments-in-use"


@dataclass(frozen=True)
class Done:
    """A command that ran."""

    code: int
    output: str


@dataclass(frozen=True)
class Shop:
    """A warehouse folder and its landing zone."""

    folder: Path

    @property
    def landing(self) -> Path:
        return self.folder / "landing"

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse"

    @property
    def published(self) -> Path:
        return self.warehouse / "published"

    def run(self, command: str, **variables: str) -> Done:
        """`python -m orchestration ...` with this shop's environment."""
        home = self.folder / "dagster"
        if not home.is_dir():
            home.mkdir()
            shutil.copy(ROOT / ".dagster_home" / "dagster.yaml", home)
        own = {
            "LANDING_DIR": str(self.landing),
            "STORE_TIMEZONE": shop.TIMEZONE,
            "DAGSTER_HOME": str(home),
            "GX_ANALYTICS_ENABLED": "false",
        }
        done = subprocess.run(
            [sys.executable, "-m", "orchestration", command],
            cwd=ROOT,
            env=environment(self.warehouse, self.folder / "target", own | variables),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        return Done(done.returncode, done.stdout + done.stderr)

    def refresh(self, as_of: str) -> Path:
        """One refresh; the folder of the version it published."""
        done = self.run("refresh", AS_OF=as_of)
        assert done.code == 0, done.output[-5000:]
        return self.published.resolve()


def rows(version: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(version / "segments.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


def landing_zone() -> shop.Zone:
    """The shop, with customer p01 under a distinct id, and consents of every kind."""
    zone = dict(shop.zone())
    for table, lines in zone.items():
        zone[table] = [{column: GONE if value == "p01" else value for column, value in line.items()} for line in lines]
    recorded = (FIRST - timedelta(days=60)).isoformat()
    ids = sorted({line["customer_id"] for line in zone["order_lines"]})
    zone["consents"] = [
        {"customer_id": person, "channel": channel, "opted_in": i % 4 != 3, "recorded_at": recorded}
        for i, person in enumerate(ids)
        for channel in ("mail", "email", "app", "sms")
        if i % 5 != 4 or person == GONE
    ]
    for line in zone["consents"]:
        if line["customer_id"] == GONE:
            line["opted_in"] = True
    sent = (FIRST - timedelta(days=40)).isoformat()
    zone["touchpoints"] = [
        {"touchpoint_id": f"t-{person}", "customer_id": person, "touched_at": sent, "channel": "mail"} for person in ids
    ]
    zone["responses"] = [
        {
            "response_id": f"r{i}",
            "customer_id": person,
            "responded_at": sent,
            "kind": "unsubscribe",
            "touchpoint_id": "",
        }
        for i, person in enumerate(ids)
        if i % 7 == 6 and person != GONE
    ]
    # A refused row names the customer too: it is kept in quarantine, as JSON.
    zone["responses"].append(
        {"response_id": "bad", "customer_id": GONE, "responded_at": "never", "kind": "open", "touchpoint_id": ""}
    )
    # Refused rows are few, or the refresh stops.
    zone["responses"] += [
        {"response_id": f"o{i}", "customer_id": STAYS, "responded_at": sent, "kind": "open", "touchpoint_id": ""}
        for i in range(150)
    ]
    return zone


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, Path, Path]:
    """The shop after two refreshes a week apart: its folder, and both versions."""
    here = Shop(tmp_path_factory.mktemp("shop"))
    write_landing(here.landing, landing_zone())
    return here, here.refresh(FIRST.isoformat()), here.refresh(SECOND.isoformat())


def test_arms_are_the_hash_of_salt_treatment_and_member_against_the_share(refreshed: tuple[Shop, Path, Path]) -> None:
    found = rows(refreshed[1], "select treatment_id, member_id, arm, share_treated from treatment_assignments")
    assert len(found) > 100
    for treatment, member, arm, share in found:
        digest = hashlib.md5(f"{SALT}|{treatment}|{member}".encode(), usedforsecurity=False).hexdigest()
        everything = hashlib.md5(f"{SALT}|programme|{member}".encode(), usedforsecurity=False).hexdigest()
        assert (arm == "programme") == (int(everything[:13], 16) / 16**13 < 0.02), member
        if arm != "programme":
            assert (arm == "treated") == (int(digest[:13], 16) / 16**13 < share), (treatment, member)


def test_one_treatment_a_member_a_scheme_is_current(refreshed: tuple[Shop, Path, Path]) -> None:
    for version in refreshed[1:]:
        assert (
            rows(
                version,
                "select scheme, member_id from treatment_assignments where is_current group by all having count(*) > 1",
            )
            == []
        )
        assert rows(version, "select count(*) from treatment_assignments where is_current")[0][0] > 50


def test_what_the_first_refresh_drew_the_second_keeps(refreshed: tuple[Shop, Path, Path]) -> None:
    query = "select scheme, member_id, treatment_id, arm, assigned_on, share_treated from treatment_assignments"
    first, second = (set(rows(version, query)) for version in refreshed[1:])
    assert first <= second
    assert {row[4] for row in first} == {FIRST}
    assert {row[4] for row in second - first} <= {SECOND}


def test_the_state_holds_what_was_published(refreshed: tuple[Shop, Path, Path]) -> None:
    here, _, second = refreshed
    state = pq.read_table(here.warehouse / "state" / "treatment_assignments.parquet").to_pylist()
    key = ("scheme", "member_id", "treatment_id", "arm", "assigned_on")
    published = rows(second, f"select {', '.join(key)} from treatment_assignments")
    assert {tuple(row[c] for c in key) for row in state} == set(published)
    assert {row["is_demo"] for row in state} == {False}


def test_the_export_is_the_published_table_by_channel(refreshed: tuple[Shop, Path, Path]) -> None:
    for version in refreshed[1:]:
        exported = set()
        for path in (version / "audiences").glob("*.csv"):
            if path.name != "difference.csv":
                with path.open(encoding="utf-8", newline="") as file:
                    exported |= {(path.stem, row["member_id"], row["treatment_id"]) for row in csv.DictReader(file)}
        published = set(rows(version, "select channel, member_id, treatment_id from audiences"))
        assert exported == published
        assert len(published) > 5


def test_nobody_is_addressed_who_refused_unsubscribed_or_never_consented(refreshed: tuple[Shop, Path, Path]) -> None:
    zone = landing_zone()
    consents = {(c["customer_id"], c["channel"]) for c in zone["consents"] if c["opted_in"]}
    gone = {r["customer_id"] for r in zone["responses"] if r["kind"] == "unsubscribe"}
    outcomes = {
        outcome for version in refreshed[1:] for (outcome,) in rows(version, "select outcome from audience_decisions")
    }
    assert {"sent", "holdout", "no consent", "refused", "unsubscribed", "lower priority"} <= outcomes
    for version in refreshed[1:]:
        for channel, member in rows(version, "select channel, member_id from audiences"):
            assert (member, channel) in consents and member not in gone


def test_our_own_assignments_are_an_experiment_once_time_has_passed(refreshed: tuple[Shop, Path, Path]) -> None:
    first, second = (
        rows(
            version,
            "select treatment_id, n_treated + n_holdout from treatment_outcomes"
            " where scheme = 'all' and experiment_id = treatment_id and treatment_id <> 'programme'",
        )
        for version in refreshed[1:]
    )
    assert first == []
    eligible = dict(
        rows(
            refreshed[1],
            "select treatment_id, count(*) from treatment_assignments"
            " where is_eligible and origin = 'drawn' and arm in ('treated', 'holdout') group by 1",
        )
    )
    assert eligible and dict(second) == eligible


def test_a_person_is_forgotten_everywhere_and_does_not_come_back(refreshed: tuple[Shop, Path, Path]) -> None:
    here, first, second = refreshed
    assert found_in(here.warehouse, GONE) != [], "the customer must be there before, or the test proves nothing"
    assert rows(second, f"select 1 from quarantine where raw like '%{GONE}%'") != []
    others = rows(second, f"select * from customer_profiles where customer_id <> '{GONE}' order by all")
    constraints_before = [constraints(version) for version in (first, second)]
    landing_before = {p: p.read_bytes() for p in here.landing.rglob("*") if p.is_file()}

    done = here.run("forget", ID=GONE)
    assert done.code == 0, done.output
    assert "responses/rows.csv" in done.output and "order_lines/rows.csv" in done.output, done.output

    assert found_in(here.warehouse, GONE) == []
    assert {p: p.read_bytes() for p in here.landing.rglob("*") if p.is_file()} == landing_before
    assert rows(second, "select * from customer_profiles order by all") == others
    for version in (first, second):
        manifest = json.loads((version / "manifest.json").read_text())
        for table, entry in manifest["tables"].items():
            path = version / "parquet" / f"{table}.parquet"
            assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest(), table
            assert (
                entry["rows"]
                == pq.read_metadata(path).num_rows
                == rows(version, f'select count(*) from "{table}"')[0][0]
            )
        assert all(p.stat().st_mode & 0o222 == 0 for p in version.rglob("*") if p.is_file())
        summary = json.loads((version / "audiences" / "summary.json").read_text())
        assert summary["sent"] == sum(summary["sent_by_channel"].values()) == manifest["tables"]["audiences"]["rows"]
        with (version / "audiences" / "difference.csv").open(encoding="utf-8", newline="") as file:
            changes = [row["change"] for row in csv.DictReader(file)]
        assert (summary["added"], summary["removed"]) == (changes.count("added"), changes.count("removed"))

    assert [constraints(version) for version in (first, second)] == constraints_before
    again = here.run("forget", ID=GONE)
    assert again.code == 0 and "nothing was there to remove" in again.output, again.output

    third = here.refresh((SECOND + timedelta(days=1)).isoformat())
    assert found_in(here.warehouse, GONE) == []
    assert rows(third, f"select count(*) from customer_profiles where customer_id = '{STAYS}'") == [(1,)]
    assert rows(third, "select count(*) from customer_profiles")[0][0] == len(others)


def constraints(version: Path) -> list[tuple]:
    """Keys, required columns and checks of a version's tables."""
    found = rows(version, "select table_name, constraint_type, constraint_text from duckdb_constraints() order by all")
    tables = {table for table, *_ in found}
    assert tables >= {"customer_segments", "next_best_offers", "quarantine", "segments", "treatment_assignments"}
    assert {kind for _, kind, _ in found} == {"PRIMARY KEY", "NOT NULL", "CHECK"}
    return found


def found_in(folder: Path, text: str) -> list[str]:
    """Files that hold a text: by their bytes, and as tables by every column. Written without the code under test."""
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and "published" not in p.relative_to(folder).parts):
        holds = text.encode() in path.read_bytes()
        if path.suffix == ".parquet":
            holds |= any(text in str(row) for row in pq.read_table(path, partitioning=None).to_pylist())
        elif path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as con:
                for (table,) in con.execute("select table_name from duckdb_tables()").fetchall():
                    holds |= any(text in str(row) for row in con.execute(f'select * from "{table}"').fetchall())
        if holds:
            found.append(str(path.relative_to(folder)))
    return found
