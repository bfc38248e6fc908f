"""`make treatments`: the workbook out, changed as a marketer changes it, and back into the file that holds."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from treatment_seeds import seed_file

from orchestration.settings import SHIPPED_SEEDS, Settings
from orchestration.treatments import desk
from orchestration.treatments.rows import COLUMNS, TreatmentsFileError
from orchestration.treatments.workbook import SHOWN

Change = Callable[[Any], None]


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    """SEEDS_DIR with a copy of the shipped treatments; nothing is published."""
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "treatments.csv").write_bytes(seed_file("treatments.csv", is_demo=False).read_bytes())
    return Settings(tmp_path, tmp_path / "wh", None, "UTC", "duckdb", own_seeds_dir=seeds)


def seeds_of(settings: Settings) -> Path:
    assert settings.own_seeds_dir is not None
    return settings.own_seeds_dir


def rows_of(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["treatment_id"]: row for row in csv.DictReader(file)}


def changed(settings: Settings, change: Change) -> Path:
    """The workbook after a change, saved as a spreadsheet program saves it."""
    path = desk.default_file(settings)
    desk.write(settings, path)
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(path)
    return path


def row_of(sheet: Any, treatment_id: str) -> int:
    place = SHOWN.index("treatment_id") + 1
    return next(row for row in range(2, sheet.max_row + 1) if sheet.cell(row, place).value == treatment_id)


def put(sheet: Any, row: int, **values: object) -> None:
    for column, value in values.items():
        sheet.cell(row, SHOWN.index(column) + 1).value = value


def test_a_workbook_that_nobody_changed_changes_nothing(own: Settings) -> None:
    before = (seeds_of(own) / "treatments.csv").read_bytes()
    assert "nothing is changed" in desk.take_back(own, changed(own, lambda book: None))
    assert (seeds_of(own) / "treatments.csv").read_bytes() == before
    assert not list(seeds_of(own).glob("*.bak"))


def test_what_is_changed_added_and_removed_is_taken_back_in_its_place(own: Settings) -> None:
    def change(book: Any) -> None:
        sheet = book["rfm"]
        put(sheet, row_of(sheet, "rfm_champions"), message="Say it\nin two lines; with = signs")
        sheet.delete_rows(row_of(sheet, "rfm_loyal_customers"))
        new = sheet.max_row + 5
        put(sheet, new, treatment_id="rfm_champions_mail", segment="champions", channel="mail", message="Dear")
        put(sheet, new, value_proposition="v", proof="p", tone_of_voice="t")
        del book["gender"]

    held = seeds_of(own) / "treatments.csv"
    earlier, before = held.read_bytes(), rows_of(held)
    said = desk.take_back(own, changed(own, change))
    after = rows_of(held)
    assert set(after) == set(before) - {"rfm_loyal_customers"} | {"rfm_champions_mail"}
    assert after["rfm_champions"] == {**before["rfm_champions"], "message": "Say it\nin two lines; with = signs"}
    assert after["rfm_champions_mail"]["scheme"] == "rfm"
    untouched = [each for each in before if each not in ("rfm_champions", "rfm_loyal_customers")]
    assert [(each, after[each]) for each in untouched] == [(each, before[each]) for each in untouched]
    # In its scheme, so that the file's difference is one line where it belongs.
    schemes = [row["scheme"] for row in after.values()]
    assert schemes == sorted(schemes, key=list(dict.fromkeys(schemes)).index)
    (kept,) = seeds_of(own).glob("*.bak")
    assert kept.read_bytes() == earlier
    assert "1 treatments added, 1 changed, 1 removed" in said and "gender" in said and kept.name in said
    assert (SHIPPED_SEEDS / "treatments.csv").read_bytes() == earlier
    assert tuple(after["rfm_champions"]) == COLUMNS


def test_a_bad_workbook_changes_nothing_and_names_its_cells(own: Settings) -> None:
    def change(book: Any) -> None:
        sheet = book["rfm"]
        row = row_of(sheet, "rfm_champions")
        put(sheet, row, segment="champion", channel="e-mail")
        put(sheet, row + 1, valid_from="soon")

    before = (seeds_of(own) / "treatments.csv").read_bytes()
    path = changed(own, change)
    with pytest.raises(
        TreatmentsFileError, match=r"_treatments.xlsx, sheet rfm, row 3, column valid_from: 'soon' is not"
    ):
        desk.take_back(own, path)
    book = openpyxl.load_workbook(path)
    put(book["rfm"], 3, valid_from=None)
    book.save(path)
    with pytest.raises(TreatmentsFileError) as refused:
        desk.take_back(own, path)
    first, second = str(refused.value).splitlines()
    assert first.startswith(
        "_treatments.xlsx, sheet rfm, row 2, column segment: champion is none of the segments of rfm"
    )
    assert "(did you mean champions?); they are" in first
    assert "row 2, column channel: e-mail is none of the channels (did you mean email?)" in second
    assert (seeds_of(own) / "treatments.csv").read_bytes() == before
    assert not list(seeds_of(own).glob("*.bak"))
