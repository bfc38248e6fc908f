"""`make treatments`: the workbook out, changed as a marketer changes it, and back into the file that holds."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from orchestration.seeds.treatments import COLUMNS, TreatmentsFileError
from orchestration.seeds.workbook import SHOWN
from orchestration.settings import SHIPPED_SEEDS, Settings, SettingsError
from orchestration.treatments import desk
from tests.support.treatment_seeds import seed_file

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


def test_a_workbook_that_is_older_than_the_treatments_takes_nothing_back_unseen(own: Settings) -> None:
    held = seeds_of(own) / "treatments.csv"

    def change(book: Any) -> None:
        put(book["rfm"], row_of(book["rfm"], "rfm_champions"), message="Mine")

    path = changed(own, change)
    text = held.read_text(encoding="utf-8")
    held.write_text(text.replace("Your bonus for this month is in", "Somebody else's words"), encoding="utf-8")
    edited = held.read_bytes()
    with pytest.raises(
        TreatmentsFileError, match=r"scheme rfm: its treatments were changed after the workbook was written"
    ):
        desk.take_back(own, path)
    assert held.read_bytes() == edited


def test_an_id_of_a_scheme_that_has_no_sheet_is_not_taken_from_it(own: Settings) -> None:
    def change(book: Any) -> None:
        taken = book["gender"].cell(2, SHOWN.index("treatment_id") + 1).value
        del book["gender"]
        put(book["rfm"], row_of(book["rfm"], "rfm_champions"), treatment_id=taken)

    path = changed(own, change)
    with pytest.raises(
        TreatmentsFileError, match=r"row 2, column treatment_id: gender_\w+ is a treatment of scheme gender"
    ):
        desk.take_back(own, path)


def test_what_others_changed_in_schemes_that_the_workbook_left_alone_stays(own: Settings) -> None:
    held = seeds_of(own) / "treatments.csv"
    path = changed(own, lambda book: put(book["rfm"], row_of(book["rfm"], "rfm_champions"), message="Mine"))
    before = rows_of(held)
    gender = next(each for each, row in before.items() if row["scheme"] == "gender")
    held.write_text(held.read_text(encoding="utf-8").replace(before[gender]["message"], "Theirs"), encoding="utf-8")
    desk.take_back(own, path)
    after = rows_of(held)
    assert (after["rfm_champions"]["message"], after[gender]["message"]) == ("Mine", "Theirs")


def test_columns_beyond_a_treatments_and_semicolons_survive_the_way_back(own: Settings) -> None:
    """The earlier file is kept as it was; what is written is plain."""
    from orchestration.overrides import plain_seed

    held = seeds_of(own) / "treatments.csv"
    table = plain_seed(held)
    held.write_text(
        "\r\n".join(";".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in table),
        encoding="utf-8-sig",
    )
    earlier = held.read_bytes()
    path = changed(own, lambda book: put(book["rfm"], row_of(book["rfm"], "rfm_champions"), message="Mine"))
    desk.take_back(own, path)
    assert plain_seed(held) == [
        [
            ("Mine" if row[0] == "rfm_champions" and name == "message" else cell)
            for name, cell in zip(table[0], row, strict=True)
        ]
        for row in table
    ]
    (kept,) = seeds_of(own).glob("*.bak")
    assert kept.read_bytes() == earlier


def test_without_treatments_of_ones_own_they_become_ones_own_and_the_checkout_is_left_alone(own: Settings) -> None:
    shipped = (SHIPPED_SEEDS / "treatments.csv").read_bytes()
    (seeds_of(own) / "treatments.csv").unlink()
    path = changed(own, lambda book: put(book["rfm"], row_of(book["rfm"], "rfm_champions"), message="Mine"))
    desk.take_back(own, path)
    assert rows_of(seeds_of(own) / "treatments.csv")["rfm_champions"]["message"] == "Mine"
    assert (SHIPPED_SEEDS / "treatments.csv").read_bytes() == shipped


def test_where_a_workbook_holds_it_is_written_and_the_earlier_one_kept(own: Settings) -> None:
    from orchestration.overrides import prepare_seeds

    holds = seeds_of(own) / "treatments.xlsx"
    csv_file = seeds_of(own) / "treatments.csv"
    with pytest.raises(TreatmentsFileError, match=r"treatments.xlsx: it would hold beside treatments.csv"):
        desk.write(own, holds)
    path = changed(own, lambda book: put(book["rfm"], row_of(book["rfm"], "rfm_champions"), message="Mine"))
    csv_file.unlink()
    holds.write_bytes(path.read_bytes())
    path.unlink()
    path = changed(own, lambda book: put(book["rfm"], row_of(book["rfm"], "rfm_champions"), offer="Ours"))
    said = desk.take_back(own, path)
    assert f"{holds}: written; the earlier file is treatments.xlsx." in said
    assert not csv_file.exists()
    prepare_seeds(own)
    held = rows_of(own.seeds_dir / "treatments.csv")["rfm_champions"]
    assert (held["message"], held["offer"]) == ("Mine", "Ours")


def test_a_workbook_that_was_filled_in_and_not_taken_back_is_kept(own: Settings) -> None:
    path = changed(own, lambda book: put(book["rfm"], row_of(book["rfm"], "rfm_champions"), message="Mine"))
    filled_in = path.read_bytes()
    said = desk.write(own, path)
    (kept,) = seeds_of(own).glob("*.bak")
    assert kept.read_bytes() == filled_in and str(kept) in said
    # One that says what holds has nothing to lose.
    desk.write(own, path)
    assert len(list(seeds_of(own).glob("*.bak"))) == 1


def test_what_would_not_hold_is_put_back(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    held = seeds_of(own) / "treatments.csv"
    before = held.read_bytes()
    path = changed(own, lambda book: put(book["rfm"], row_of(book["rfm"], "rfm_champions"), message="Mine"))
    with monkeypatch.context() as patched:
        patched.setattr(desk, "_as_file", lambda path, rows: "treatment_id,scheme\n")
        with pytest.raises((TreatmentsFileError, SettingsError)):
            desk.take_back(own, path)
    assert held.read_bytes() == before
    assert (own.seeds_dir / "treatments.csv").read_bytes() == before

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(desk, "write_atomically", full)
        with pytest.raises(TreatmentsFileError, match=r"treatments.csv: cannot be written \(No space left on device\)"):
            desk.take_back(own, path)
    assert held.read_bytes() == before


def test_on_a_demo_each_scheme_goes_back_to_the_file_that_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Treatments of a scheme that was edited in seeds/ go before the demo's; both files are copies here."""
    from orchestration import overrides, settings

    checkout, demo = tmp_path / "checkout", tmp_path / "demo"
    for source, copy in ((SHIPPED_SEEDS, checkout), (settings.DEMO_SEEDS["retail"], demo)):
        copy.mkdir()
        for path in source.iterdir():
            (copy / path.name).write_bytes(path.read_bytes())
    for module in (overrides, settings, desk):
        monkeypatch.setattr(module, "SHIPPED_SEEDS", checkout)
    monkeypatch.setitem(settings.DEMO_SEEDS, "retail", demo)
    shipped = checkout / "treatments.csv"
    text = shipped.read_text(encoding="utf-8")
    shipped.write_text(text.replace("gender_", "g_"), encoding="utf-8")
    on_demo = Settings(None, tmp_path / "wh", None, "UTC", "duckdb")

    def change(book: Any) -> None:
        put(book["rfm"], row_of(book["rfm"], "rfm_champions"), message="Of the demo")
        put(book["gender"], 2, message="Of the checkout")

    desk.take_back(on_demo, changed(on_demo, change))
    assert rows_of(demo / "treatments.csv")["rfm_champions"]["message"] == "Of the demo"
    assert [row["message"] for row in rows_of(shipped).values()].count("Of the checkout") == 1
    assert rows_of(shipped)["rfm_champions"]["message"] != "Of the demo"
    held = rows_of(on_demo.seeds_dir / "treatments.csv")
    assert held["rfm_champions"]["message"] == "Of the demo"
    assert "Of the checkout" in [row["message"] for row in held.values()]


def test_a_shop_whose_command_reads_the_demo_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    version = tmp_path / "wh" / "versions" / "20260101T000000Z-a"
    (version / "audiences").mkdir(parents=True)
    (version / "audiences" / "summary.json").write_text('{"is_demo": false}')
    (tmp_path / "wh" / "published").symlink_to(version)
    assert desk.main({"WAREHOUSE_DIR": str(tmp_path / "wh")}) == 0
    assert "is not the demo's, which is read here: give LANDING_DIR" in capsys.readouterr().err


def test_it_is_called_with_from_and_file(
    own: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {
        "LANDING_DIR": str(tmp_path),
        "WAREHOUSE_DIR": str(own.warehouse_dir),
        "SEEDS_DIR": str(seeds_of(own)),
    }
    assert desk.main(environ) == 0
    assert f"{seeds_of(own) / '_treatments.xlsx'}: " in capsys.readouterr().out
    file = tmp_path / "for Ann.xlsx"
    assert desk.main({**environ, "FILE": str(file)}) == 0
    assert desk.main({**environ, "FROM": str(file)}) == 0
    assert "nothing is changed" in capsys.readouterr().out
    assert desk.main({**environ, "FILE": str(tmp_path / "t.csv")}) == 1
    assert desk.main({**environ, "FROM": str(tmp_path / "gone.xlsx")}) == 1
    said = capsys.readouterr().err
    assert "the name of a workbook ends with .xlsx" in said and "gone.xlsx: cannot be read" in said
    assert desk.main({**environ, "FROM": str(file), "FILE": str(file)}) == 2
    assert desk.default_file(Settings(None, tmp_path, None, "UTC", "duckdb")) == tmp_path / "treatments.xlsx"


def test_the_published_segments_stand_beside(own: Settings) -> None:
    import json

    import duckdb

    published = own.warehouse_dir / "published"
    published.mkdir(parents=True)
    (published / "manifest.json").write_text(json.dumps({"as_of": "2026-11-01"}))
    with duckdb.connect(str(published / "segments.duckdb")) as con:
        con.execute(
            """
            create table segments as select * from (values
                ('rfm', 'champions', 'Champions', 7, 1234.567), ('rfm', 'unknown', 'Unknown', 2, 0),
                ('category_interest', 'tea', 'TEA', 4, 10), ('category_interest', 'beef', 'BEEF', 9, 20.5)
            ) as t(scheme, segment, label, members, spend);
            create table customer_segments (scheme varchar, member_id varchar, segment varchar);
            create table product_affinities as select 'category' as item_level, 'TEA' as antecedent;
            create table next_best_offers as select 'category' as item_level, 'BEEF' as item;
            """
        )
    path = changed(own, lambda book: None)
    book = openpyxl.load_workbook(path)
    sheet = book["rfm"]
    row = row_of(sheet, "rfm_champions")
    assert [sheet.cell(row, place).value for place in range(1, 5)] == ["champions", "Champions", 7, 1234.57]
    interest = book["category_interest"]
    assert [interest.cell(2, place).value for place in range(1, 5)] == [
        "*",
        "(2 segments without a row of their own)",
        13,
        30.5,
    ]
    assert "as of 2026-11-01" in book["Read me"]["A3"].value
    items = [cell.value for column in book["_lists"].iter_cols() for cell in column if cell.value]
    assert {"TEA", "BEEF", "champions", "email"} <= set(items)
