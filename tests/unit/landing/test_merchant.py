"""The simulated merchant: the same rows for the same seed, columns of the contract, and the demo by its name."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest

from orchestration import terminal
from orchestration.landing.contract import contract
from orchestration.landing.demo import write_demo, write_tables
from orchestration.landing.merchant import generate
from orchestration.landing.merchant.catalogue import CATEGORIES, DEPOSITS, MISSIONS
from orchestration.landing.merchant.generate import Size, make_merchant
from orchestration.landing.merchant.people import TRADES
from orchestration.overrides import held_seeds, prepare_seeds
from orchestration.report import write_report
from orchestration.settings import DEMO_SEEDS, SettingsError, read_settings

SMALL = Size(companies=20, persons=20, company_prospects=3, person_prospects=3, anonymous_orders=5)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def test_a_seed_gives_the_same_files_and_another_one_others(tmp_path: Path) -> None:
    for name, seed in (("a", generate.SEED), ("b", generate.SEED), ("c", 1)):
        write_tables(tmp_path / name, make_merchant(SMALL, seed).tables)
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")
    assert bytes_of(tmp_path / "a") != bytes_of(tmp_path / "c")


def test_every_table_and_column_is_one_of_the_contract() -> None:
    tables = contract()
    for name, table in make_merchant(SMALL).tables.items():
        assert set(table.column_names) <= {column.name for column in tables[name].columns}
        keys = [tuple(row[column] for column in tables[name].key) for row in table.to_pylist() if name != "assignments"]
        assert len(set(keys)) == len(keys), name


def test_categories_meant_and_sold_are_the_same() -> None:
    with (DEMO_SEEDS["merchant"] / "category_meanings.csv").open(encoding="utf-8", newline="") as file:
        meant = {row["category"] for row in csv.DictReader(file)}
    sold = {category.name for category in CATEGORIES} - {DEPOSITS}
    assert meant == sold
    assert {item for mission in MISSIONS.values() for item in mission} == sold
    assert all(set(trade.missions) <= set(MISSIONS) and trade.offered in sold for trade in TRADES)


def test_the_demo_is_chosen_by_name_and_the_retailer_is_the_default(tmp_path: Path) -> None:
    there = {"WAREHOUSE_DIR": str(tmp_path)}
    assert read_settings(there).demo == read_settings({**there, "DEMO": ""}).demo == "retail"
    assert read_settings(there).simulated == ""
    settings = read_settings({**there, "DEMO": "merchant"})
    assert (settings.store_timezone, settings.simulated) == (
        "Europe/Berlin",
        "a simulated merchant of building materials",
    )
    # A child process is told both.
    settings.demo_dir.mkdir()
    child = read_settings(settings.environment())
    assert (child.demo, child.seeds_dir, child.simulated) == ("merchant", settings.seeds_dir, settings.simulated)
    with pytest.raises(SettingsError, match="DEMO=mercant: there is no such demo; one of retail, merchant"):
        read_settings({**there, "DEMO": "mercant"})


def test_a_landing_zone_goes_before_a_demo(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    landing.mkdir()
    settings = read_settings({"WAREHOUSE_DIR": str(tmp_path), "DEMO": "merchant", "LANDING_DIR": str(landing)})
    assert (settings.simulated, settings.demo_seeds_dir, settings.environment()["DEMO"]) == ("", None, "")


def test_a_users_seed_goes_before_the_demos(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    demo = DEMO_SEEDS["merchant"]
    (own / "job_benefits.csv").write_bytes((demo / "job_benefits.csv").read_bytes())
    settings = read_settings({"WAREHOUSE_DIR": str(tmp_path), "DEMO": "merchant", "SEEDS_DIR": str(own)})
    held = held_seeds(settings)
    assert held["job_benefits.csv"].parent == own
    assert held["treatments.csv"].parent == demo
    prepare_seeds(settings)
    schemes = list(csv.DictReader((settings.seeds_dir / "segment_schemes.csv").open(encoding="utf-8", newline="")))
    # The demo's file says only what it switches off; every other scheme is as shipped.
    assert {row["scheme"] for row in schemes if row["scheme"] == "company_size"} == {"company_size"}
    assert len({row["scheme"] for row in schemes}) == len(schemes)


def test_one_folder_holds_one_demo_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "make_merchant", lambda: make_merchant(SMALL))
    demo = tmp_path / "demo"
    assert write_demo(demo, "merchant")
    assert not write_demo(demo, "merchant")
    (demo / ".demo-version").write_text("1 0.0")
    assert write_demo(demo, "merchant")
    assert (demo / "company_contacts" / "company_contacts.parquet").is_file()


def test_terminal_and_report_say_that_the_merchant_is_simulated(tmp_path: Path) -> None:
    settings = read_settings({"WAREHOUSE_DIR": str(tmp_path), "DEMO": "merchant"})
    assert "a simulated merchant of building materials" in terminal.opening("id", settings)
    assert "simulated" not in terminal.opening("id", read_settings({"WAREHOUSE_DIR": str(tmp_path)}))
    for name, label in (("merchant", "'a simulated merchant'"), ("shop", "null"), ("older", None)):
        database, page = tmp_path / f"{name}.duckdb", tmp_path / f"{name}.html"
        with duckdb.connect(str(database)) as con:
            column = "" if label is None else f", cast({label} as varchar) as data_label"
            con.execute(f"create table refresh_settings as select date '2026-07-01' as as_of{column}")
        write_report(database, page)
        title = "<h1>Segments in use of a simulated merchant</h1>" if name == "merchant" else "<h1>Segments in use</h1>"
        assert title in page.read_text(encoding="utf-8")
