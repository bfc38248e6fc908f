"""What Python reads of the landing zone goes by the same vars and seeds as dbt, whichever way they are given."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from orchestration.landing import plugin
from orchestration.landing.prepare import prepare
from orchestration.settings import ALREADY_LANDED, PROJECT_DIR, SHIPPED_SEEDS, read_settings

FORMATS = {"order_lines": {"dates": "epoch_seconds"}}
EMPTIES = "spelling,source_table,column_name,is_empty,reading\nleer,,,true,German for empty\n"


def zone(folder: Path) -> Path:
    """Lines whose midnights only one who knows how dates are written can tell; `leer` is an empty cell of one seed."""
    path = folder / "zone" / "order_lines" / "a.csv"
    path.parent.mkdir(parents=True)
    header = "order_id,customer_id,product_id,ordered_at,quantity,amount,channel"
    path.write_text(f"{header}\n1,a,p,1767139200,1,2,leer\n2,a,p,1769904000,1,2,web\n", encoding="utf-8")
    (folder / "seeds").mkdir()
    (folder / "seeds" / "empty_spellings.csv").write_text(EMPTIES, encoding="utf-8")
    (folder / "settings.yml").write_text("landing_formats: {order_lines: {dates: epoch_seconds}}\n", encoding="utf-8")
    return folder / "zone"


def landed(folder: Path) -> list[tuple[str, ...]]:
    files = str(folder / "wh" / "landed" / "order_lines" / "*.parquet")
    with duckdb.connect() as con:
        return con.execute(f"select ordered_at, channel from '{files}' order by order_id").fetchall()


def by_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a refresh does: SETTINGS and SEEDS_DIR."""
    monkeypatch.setenv("SETTINGS", str(folder / "settings.yml"))
    monkeypatch.setenv("SEEDS_DIR", str(folder / "seeds"))
    prepare(read_settings())


def by_hand(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `SEEDS_PATH=… dbt build --vars …` does."""
    monkeypatch.setenv("SEEDS_PATH", os.path.relpath(folder / "seeds", PROJECT_DIR))
    monkeypatch.setattr(plugin, "get_flags", lambda: SimpleNamespace(VARS={"landing_formats": FORMATS}))
    plugin.Plugin("landing", {})


@pytest.mark.parametrize("way", [by_settings, by_hand])
def test_formats_and_seeds_reach_python_however_they_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Callable[[Path, pytest.MonkeyPatch], None]
) -> None:
    for name in ("SETTINGS", "SEEDS_DIR", "SEEDS_PATH", "MAPPING", "AS_OF", ALREADY_LANDED):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANDING_DIR", str(zone(tmp_path)))
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "wh"))
    prepare(read_settings())
    assert landed(tmp_path) == [("1767139200", "leer"), ("1769904000", "web")]
    way(tmp_path, monkeypatch)
    assert landed(tmp_path) == [("2025-12-31", None), ("2026-02-01", "web")]


@pytest.mark.parametrize("name", ["STORE_TIMEZONE", "SETTINGS"])
def test_midnights_of_parquet_are_those_of_the_stores_however_their_zone_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for other in ("STORE_TIMEZONE", "SETTINGS", "SEEDS_DIR", "SEEDS_PATH", "MAPPING", "AS_OF", ALREADY_LANDED):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv("LANDING_DIR", str(tmp_path / "zone"))
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "wh"))
    (tmp_path / "zone" / "order_lines").mkdir(parents=True)
    (tmp_path / "settings.yml").write_text("store_timezone: America/New_York\n", encoding="utf-8")
    with duckdb.connect() as con:
        con.sql(
            "select 1 as order_id, 'a' as customer_id, 'p' as product_id, 1 as quantity, 2 as amount, 'web' as channel,"
            " timestamptz '2025-01-01 05:00:00+00' as ordered_at"
        ).write_parquet(str(tmp_path / "zone" / "order_lines" / "a.parquet"))
    monkeypatch.setenv(name, "America/New_York" if name == "STORE_TIMEZONE" else str(tmp_path / "settings.yml"))
    prepare(read_settings())
    assert landed(tmp_path) == [("2025-01-01", "web")]


def test_a_build_by_hand_of_the_demo_reads_the_seeds_that_dbt_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has put the demo's seeds together then."""
    asked = []
    monkeypatch.setattr(plugin, "prepare", lambda *given: asked.append(given) or SimpleNamespace(warnings=[]))
    monkeypatch.setattr(plugin, "get_flags", lambda: SimpleNamespace())
    for name in ("LANDING_DIR", "SEEDS_DIR", "SEEDS_PATH", "MAPPING", ALREADY_LANDED):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "wh"))
    plugin.Plugin("landing", {})
    assert [given[1:] for given in asked] == [(SHIPPED_SEEDS, None)]
