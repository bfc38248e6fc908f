"""A refresh that is killed at any moment leaves what is published valid, and the next refresh right."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.storage.files import sha256_of
from tests.support import project
from tests.support.growing_zone import TwoDays, Warehouse, copy_warehouse, published_rows

# Steps that run together, how many kills, and the seconds within which they fall; None: as long as the steps take,
# which is measured first. Few models of each half: the danger (a torn build file, landed files half-way) is the same in
# each, and a dozen whole builds would take minutes.
LANDING, STAGING, MODELS, PUBLISHING = (
    (["landing"], 3, 1.0),
    (["landing", "refused_rows", "stg_order_lines", "stg_customers", "row_account"], 3, None),
    (["int_order_days", "int_baskets", "int_customer_days", "rfm", "int_memberships", "int_membership_moves"], 2, None),
    (["candidate", "audience_export", "report", "published"], 5, None),
)


def assert_valid(published: Path) -> str:
    """The published version opens, and its files are those of its manifest; returns its id."""
    version = published.resolve()
    manifest = json.loads((version / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["refresh_id"] == version.name
    assert not list(version.glob("*.wal"))
    with duckdb.connect(str(version / "segments.duckdb"), read_only=True) as con:
        for name, table in manifest["tables"].items():
            assert sha256_of(version / "parquet" / f"{name}.parquet") == table["sha256"], name
            assert con.execute(f'select count(*) from "{name}"').fetchone() == (table["rows"],), name
    return str(manifest["refresh_id"])


@pytest.fixture(scope="module")
def victim(two_days: TwoDays, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The state before the second day; its landing zone holds the second day's files."""
    return copy_warehouse(two_days.before, tmp_path_factory.mktemp("killed") / "warehouse")


class Killer:
    """The process that runs steps and kills them."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.killed_steps"],
            cwd=project.ROOT,
            env=warehouse.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._read() == "ready"

    def kill(self, seconds: float, assets: list[str]) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds} {' '.join(assets)}\n")
        self.process.stdin.flush()
        return self._read()

    def seconds_of(self, assets: list[str]) -> float:
        """How long the assets take when nothing disturbs them."""
        began = time.monotonic()
        assert self.kill(600, assets) == "ended"
        return time.monotonic() - began

    def _read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@pytest.fixture(scope="module")
def killer(victim: Warehouse) -> Iterator[Killer]:
    found = Killer(victim)
    yield found
    found.process.kill()
    found.process.wait()


def test_a_refresh_killed_at_any_moment_leaves_the_published_version_valid(
    two_days: TwoDays, victim: Warehouse, killer: Killer
) -> None:
    first = two_days.before.manifest()["refresh_id"]
    moments = random.Random(3)
    outcomes = []
    # Publishing first: its steps need the whole build, which the kills in the models leave in pieces.
    for assets, kills, seconds in (PUBLISHING, MODELS, STAGING, LANDING):
        within = seconds or killer.seconds_of(assets)
        for number in range(kills):
            # One moment in each part of the time, so that none is left out.
            outcomes.append(killer.kill(within * (number + moments.random()) / kills, assets))
            published = assert_valid(victim.published)
            # Steps of a refresh that are run by themselves publish a version of their own when they come to their end.
            assert published >= first
    assert len(outcomes) >= 12
    # Not vacuous, whatever the machine's mood: most of the ten in measured steps must have met them at work.
    assert outcomes.count("killed") >= 5, outcomes


def test_the_next_refresh_publishes_what_an_undisturbed_one_does(two_days: TwoDays, victim: Warehouse) -> None:
    victim.refresh()
    assert_valid(victim.published)
    assert published_rows(victim) == published_rows(two_days.after)
    # Nothing of the killed ones is left.
    assert [p.name for p in (victim.folder / "candidate").iterdir()] == []
    versions = {p.name for p in (victim.folder / "versions").iterdir()}
    listed = {name for (name,) in victim.rows("select refresh_id from refreshes")}
    assert versions <= listed
