"""A refresh after an edit builds what hangs on it, and publishes what a refresh from nothing would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tests.support import project
from tests.support.growing_zone import Warehouse, Zone, published_rows, write_zone

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Edited:
    """A warehouse whose seeds were edited one after the other; `said` are the terminals, `checks` the counts."""

    warehouse: Warehouse
    seeds: Path
    said: list[str]
    checks: list[dict[str, int]]
    edited: dict[str, tuple[int, str]]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def reached(warehouse: Warehouse) -> str:
    """What the last refresh's log says of an edit; empty where everything was built."""
    log = max((warehouse.folder / "logs").glob("*.log"))
    lines = [line for line in log.read_text(encoding="utf-8").splitlines() if "and nothing else" in line]
    return lines[0] if lines else ""


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edited]:
    base = tmp_path_factory.mktemp("edits")
    seeds = base / "seeds"
    seeds.mkdir()
    for name in ("treatments.csv", "rfm_grid.csv"):
        (seeds / name).write_bytes((project.ROOT / "seeds" / name).read_bytes())
    warehouse = Warehouse(base / "warehouse", write_zone(base / "zone", Zone(customers=15, days=40)))
    said, checks = [], []
    for file, old, new in (
        (None, "", ""),
        ("treatments.csv", "You hear of everything first", "You hear of all of it first"),
        ("rfm_grid.csv", "3,3,any,need_attention", "3,3,any,about_to_sleep"),
    ):
        if file:
            change(seeds / file, old, new)
        warehouse.refresh(SEEDS_DIR=str(seeds))
        said.append(reached(warehouse))
        checks.append(warehouse.manifest()["checks"])
    yield Edited(warehouse, seeds, said, checks, published_rows(warehouse))


def test_only_what_hangs_on_an_edit_is_built(edited: Edited) -> None:
    assert edited.said[0] == ""
    assert "treatments" in edited.said[1] and "rfm_grid" not in edited.said[1]
    assert "rfm_grid" in edited.said[2]


def test_each_check_is_counted_once_in_every_refresh(edited: Edited) -> None:
    assert edited.checks[1] == edited.checks[0]
    assert sum(edited.checks[2].values()) == sum(edited.checks[0].values())


def test_an_edit_publishes_what_a_build_from_nothing_does(edited: Edited) -> None:
    fresh = Warehouse(edited.warehouse.folder.parent / "fresh", edited.warehouse.landing_dir)
    fresh.refresh(SEEDS_DIR=str(edited.seeds))
    assert published_rows(fresh) == edited.edited


def test_a_build_that_stopped_or_was_written_by_hand_is_followed_by_a_full_one(edited: Edited) -> None:
    note = edited.warehouse.folder / "build" / "made_from.json"
    assert json.loads(note.read_text())["checks"]
    # A defect planted in a table that no edit reaches.
    with duckdb.connect(str(edited.warehouse.folder / "build" / "warehouse.duckdb")) as con:
        con.execute("delete from int_baskets")
    change(edited.seeds / "treatments.csv", "You hear of all of it first", "You hear of everything first")
    edited.warehouse.refresh(SEEDS_DIR=str(edited.seeds))
    assert reached(edited.warehouse) == ""
