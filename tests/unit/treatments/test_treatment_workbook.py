"""The treatments as a workbook and back: nothing is lost, nothing is computed, what is wrong is named by its cell."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.seeds.files import as_csv
from orchestration.seeds.treatments import COLUMNS, DATES, TreatmentsFileError, blank_in_id
from orchestration.seeds.workbook import (
    CONTEXT,
    READ_ME,
    SHOWN,
    Offered,
    SchemeSheet,
    read_workbook,
    write_workbook,
)
from orchestration.treatments import desk
from tests.support.treatment_seeds import seed_file, seed_rows

ROW = dict.fromkeys(COLUMNS, "")
SCHEMES = (
    "rfm",
    "a scheme with a name that no sheet of Excel can bear",
    "A scheme with a name that no sheet of Excel can",
)
# What a spreadsheet would take for something else, or a file format loses.
TRAPS = (
    '=HYPERLINK("http://example.org","x")',
    "=1+1",
    "+49 30 123",
    "-10 % off",
    "@all",
    "'quoted",
    "#N/A",
    "0012",
    "1e5",
    "TRUE",
    "2026-11-30",
    "30.11.2026",
    " led by a blank",
    "two\nlines",
    "\n",
    'a "b"; c, d\t|',
    "_x0041_",
    "_x005F_",
    "_x000D_",
    "x005F_",
    "{label} für Łódź ☕",
    "&amp; <b>",
)
TEXTS = st.one_of(
    st.sampled_from(TRAPS),
    st.text(
        st.characters(
            codec="utf-8", exclude_categories=("Cs", "Cc"), include_characters="\n\t", exclude_characters="\ufffe\uffff"
        ),
        max_size=30,
    ),
)
DAYS = st.one_of(st.just(""), st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(date.isoformat))


@st.composite
def treatments(draw: st.DrawFn) -> list[dict[str, str]]:
    ids = draw(
        st.lists(TEXTS.filter(lambda text: bool(text.strip()) and not blank_in_id(text)), max_size=6, unique=True)
    )
    return [
        {
            **{column: draw(TEXTS) for column in COLUMNS},
            **{column: draw(DAYS) for column in DATES},
            "treatment_id": treatment_id,
            "scheme": draw(st.sampled_from(SCHEMES)),
        }
        for treatment_id in ids
    ]


def by_id(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(rows, key=lambda row: row["treatment_id"])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=treatments())
def test_a_workbook_comes_back_as_it_went(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(write_workbook(rows, [SchemeSheet("rfm", ["champions"])], Offered(), ["Read me"]))
    book = read_workbook(path)
    assert by_id(book.rows) == by_id(rows)
    # Into the file that holds, in the order that it has, and not a byte of it is another.
    held = tmp_path / "treatments.csv"
    held.write_text(as_csv([COLUMNS, *([row[column] for column in COLUMNS] for row in rows)]), encoding="utf-8")
    assert desk.merged(rows, book) == rows
    assert desk._as_file(held, desk.merged(rows, book)) == held.read_text(encoding="utf-8")


@pytest.mark.parametrize("text", TRAPS)
def test_what_a_spreadsheet_would_take_for_something_else_is_a_text(tmp_path: Path, text: str) -> None:
    row = {**ROW, "treatment_id": "t", "scheme": "rfm", "message": text}
    path = tmp_path / "t.xlsx"
    path.write_bytes(write_workbook([row], [], Offered(), ["Read me"]))
    cell = openpyxl.load_workbook(path)["rfm"].cell(2, SHOWN.index("message") + 1)
    assert (cell.data_type, cell.number_format) == ("s", "@")
    assert bool(cell.quotePrefix) == (text[0] in "=+-@")
    assert read_workbook(path).rows == [row]
    # A second time, from what a spreadsheet program has saved.
    openpyxl.load_workbook(path).save(path)
    assert text.startswith(("=", "#", "_x0", "x0")) or read_workbook(path).rows == [row]


@pytest.mark.parametrize("is_demo", [True, False])
def test_the_seeds_come_back_as_they_went(tmp_path: Path, is_demo: bool) -> None:
    rows = seed_rows("treatments.csv", is_demo)
    path = tmp_path / "t.xlsx"
    path.write_bytes(write_workbook(rows, [], Offered(), ["Read me"]))
    book = read_workbook(path)
    assert by_id(book.rows) == by_id(rows)
    assert book.schemes == {row["scheme"] for row in rows}
    assert seed_file("treatments.csv", is_demo).is_file()


@pytest.mark.skipif(shutil.which("soffice") is None, reason="no LibreOffice (Debian: apt-get install libreoffice-calc)")
def test_what_a_real_spreadsheet_program_has_saved_comes_back_as_it_went(tmp_path: Path) -> None:
    rows = [
        {**ROW, "treatment_id": f"t{n}", "scheme": "rfm", "message": text, "valid_from": "2026-11-30"}
        for n, text in enumerate(TRAPS)
        # LibreOffice writes what Excel's files use to spell a character as it stands, and so as that character.
        if not text.startswith(("_x", "x0"))
    ]
    rows += seed_rows("treatments.csv", False)
    path, saved = tmp_path / "t.xlsx", tmp_path / "saved"
    path.write_bytes(write_workbook(rows, [SchemeSheet("rfm", ["champions"])], Offered(), ["Read me"]))
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    convert = ("--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(saved), str(path))
    subprocess.run(["soffice", "--headless", profile, *convert], check=True, capture_output=True, timeout=120)
    assert by_id(read_workbook(saved / "t.xlsx").rows) == by_id(rows)
    before, after = (openpyxl.load_workbook(file)["rfm"] for file in (path, saved / "t.xlsx"))
    assert len(after.data_validations.dataValidation) == len(before.data_validations.dataValidation) > 0


# ---- what it looks like ---------------------------------------------------------------------------------------------


def shown(tmp_path: Path, rows: list[dict[str, str]], *sheets: SchemeSheet, **offered: list[str]) -> Any:
    path = tmp_path / "t.xlsx"
    path.write_bytes(write_workbook(rows, sheets, Offered(**offered), ["Treatments", "how"]))  # type: ignore[arg-type]
    return openpyxl.load_workbook(path)


def test_a_sheet_offers_lists_and_shows_the_segment_beside_in_locked_cells(tmp_path: Path) -> None:
    row = {**ROW, "treatment_id": "t", "scheme": "rfm", "segment": "best", "channel": "app", "valid_from": "2026-11-30"}
    sheet = SchemeSheet(
        "rfm",
        ["best", "worst", "unknown"],
        context={"best": ("Best", 10, 9.5), "worst": ("Worst", 3, 1.0), "unknown": ("Unknown", 7, 0.0)},
        left_out=frozenset({"unknown"}),
    )
    book = shown(tmp_path, [row], sheet, channels=["app", "mail"], service_levels=["Named person"])
    assert book.sheetnames[0] == READ_ME and book["_lists"].sheet_state == book["_sheets"].sheet_state == "hidden"
    found = book["rfm"]
    assert [found.cell(2, place).value for place in range(1, 6)] == ["best", "Best", 10, 9.5, "t"]
    # A segment with members and without a treatment waits for one; `unknown` needs none.
    assert [found.cell(3, place).value for place in range(1, 6)] == ["worst", "Worst", 3, 1.0, None]
    assert found.max_row == 3
    assert (found.freeze_panes, found.protection.sheet, found.protection.password) == ("B2", True, None)
    locked = {column: found.cell(2, place).protection.locked for place, column in enumerate(SHOWN, 1)}
    assert {column for column in SHOWN if locked[column]} == set(CONTEXT)
    cell = found.cell(2, SHOWN.index("valid_from") + 1)
    assert (cell.value, cell.number_format) == (datetime(2026, 11, 30), "yyyy-mm-dd")
    assert found.cell(2, SHOWN.index("offer") + 1).number_format == "@"
    assert all(found.cell(2, place).alignment.wrap_text for place in range(1, len(SHOWN) + 1))
    lists = {str(rule.sqref).split(":")[0]: rule for rule in found.data_validations.dataValidation}
    offers = {}
    for column in ("segment", "channel", "service_level"):
        rule = lists[f"{openpyxl.utils.get_column_letter(SHOWN.index(column) + 1)}2"]
        first, last = rule.formula1.removeprefix("_lists!").replace("$", "").split(":")
        offers[column] = ([cell.value for (cell,) in book["_lists"][f"{first}:{last}"]], rule.showErrorMessage)
    assert offers == {
        "segment": (["best", "worst", "unknown"], True),
        "channel": (["app", "mail"], True),
        # What somebody wrote before is offered; something new may be written.
        "service_level": (["Named person"], False),
    }


def test_in_a_scheme_of_the_data_any_segment_may_be_typed_and_a_template_shows_whom_it_serves(tmp_path: Path) -> None:
    row = {**ROW, "treatment_id": "each", "scheme": "interest", "segment": "*", "message": "New in {label}"}
    sheet = SchemeSheet(
        "interest", ["tea"], True, context={"tea": ("TEA", 4, 1.0)}, served={"each": ("(1 segments)", 4, 1.0)}
    )
    found = shown(tmp_path, [row], sheet)["interest"]
    assert [found.cell(2, place).value for place in range(1, 5)] == ["*", "(1 segments)", 4, 1.0]
    assert found.max_row == 2
    (rule,) = [each for each in found.data_validations.dataValidation if str(each.sqref).startswith("A2")]
    assert not rule.showErrorMessage


def test_names_of_sheets_are_short_different_and_take_their_rows_back(tmp_path: Path) -> None:
    schemes = [*SCHEMES[1:], "read me", "history", "a/b:c", "'x'", "_LISTS", ""]
    rows = [{**ROW, "treatment_id": f"t{n}", "scheme": scheme} for n, scheme in enumerate(schemes)]
    book = shown(tmp_path, rows)
    names = [name.lower() for name in book.sheetnames]
    assert max(map(len, names)) <= 31 and len(set(names)) == len(names) == len(schemes) + 3
    assert "history" not in names
    assert by_id(read_workbook(tmp_path / "t.xlsx").rows) == by_id(rows)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("bell\x07", r"treatment t, column message: an invisible character \(U\+0007\), which no cell can hold"),
        ("x" * 32_768, r"treatment t, column message: a text of 32,768 characters \(at most 32,767\)"),
    ],
)
def test_what_no_cell_can_hold_is_refused_and_not_cut(text: str, told: str) -> None:
    with pytest.raises(TreatmentsFileError, match=told):
        write_workbook([{**ROW, "treatment_id": "t", "scheme": "rfm", "message": text}], [], Offered(), ["Read me"])


# ---- what somebody makes of it --------------------------------------------------------------------------------------


def changed(tmp_path: Path, change: Callable[[Any], object]) -> Path:
    rows = [
        {**ROW, "treatment_id": each, "scheme": "rfm", "segment": each, "message": "Hello"} for each in ("a", "b", "c")
    ]
    book = shown(tmp_path, rows)
    change(book)
    book.save(tmp_path / "t.xlsx")
    return tmp_path / "t.xlsx"


def put(book: Any, row: int, column: str, value: object, number_format: str | None = None) -> None:
    cell = book["rfm"].cell(row, SHOWN.index(column) + 1)
    cell.value = value
    if number_format is not None:
        cell.number_format = number_format


def drop(book: Any, column: str) -> None:
    book["rfm"].delete_cols(SHOWN.index(column) + 1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda book: put(book, 3, "message", "=1+1"), "row 3, column message: is a formula; copy the cell and paste"),
        (lambda book: put(book, 3, "message", "#N/A"), "row 3, column message: is the error #N/A"),
        (lambda book: put(book, 3, "offer", 0.1, "0%"), "row 3, column offer: 0.1 is a value in the format 0%; form"),
        (lambda book: put(book, 3, "offer", 2.5, "General"), "row 3, column offer: 2.5 is a value in the format Gener"),
        (
            lambda book: put(book, 3, "message", datetime(2026, 1, 2)),
            "row 3, column message: 2026-01-02 00:00:00 is a",
        ),
        (
            lambda book: put(book, 2, "valid_from", 46000, "0"),
            "row 2, column valid_from: 46000 is a number; a date such",
        ),
        (lambda book: put(book, 2, "review_on", datetime(2026, 1, 2, 9)), "row 2, column review_on: .* time of day"),
        (lambda book: put(book, 2, "valid_to", "11/12/2026"), r"column valid_to: .*\(did you mean 2026-11-12 or"),
        (lambda book: put(book, 4, "treatment_id", "a"), "row 4, column treatment_id: a is already the id of .*row 2"),
        (lambda book: put(book, 4, "treatment_id", "a "), "row 4, column treatment_id: 'a ' has a blank at an end"),
        (lambda book: put(book, 4, "treatment_id", None), "row 4, column treatment_id: is empty; .* such as rfm_c"),
        (lambda book: put(book, 1, "message", "massage"), r"no column massage \(did you mean message\?\)"),
        (lambda book: drop(book, "proof"), "row 1: column proof is missing"),
        (lambda book: book["rfm"].delete_rows(1), "row 1: the columns of treatments are not named"),
        (lambda book: book["rfm"].insert_rows(1), "row 2: the columns must be named in row 1"),
        (lambda book: book["rfm"].cell(2, 30, "a note"), "row 2, column AD: stands beside the columns"),
        (lambda book: book["rfm"].merge_cells("A2:A3"), "cells A2:A3 are merged"),
    ],
)
def test_what_cannot_be_taken_is_named_by_sheet_row_and_column(
    tmp_path: Path, change: Callable[[Any], object], told: str
) -> None:
    with pytest.raises(TreatmentsFileError, match=rf"t.xlsx, sheet rfm.*{told}"):
        read_workbook(changed(tmp_path, change))


def test_every_problem_of_a_workbook_is_told_at_once_and_of_many_the_first(tmp_path: Path) -> None:
    def change(book: Any) -> None:
        for row in (2, 3, 4):
            for column in DATES:
                put(book, row, column, "soon")
            for column in ("message", "offer", "proof", "service_level"):
                put(book, row, column, "=A1")

    with pytest.raises(TreatmentsFileError) as refused:
        read_workbook(changed(tmp_path, change))
    lines = str(refused.value).splitlines()
    assert len(lines) == 21 and lines[-1] == "and 1 more"


def test_what_is_typed_is_taken_as_a_text_and_dates_as_dates(tmp_path: Path) -> None:
    def change(book: Any) -> None:
        put(book, 2, "offer", 15, "General")
        put(book, 2, "message", "from Excel_x000D_\nin two lines")
        put(book, 2, "valid_from", date(2026, 1, 2), "dd.mm.yyyy")
        put(book, 2, "valid_to", "30.11.2026")
        put(book, 2, "scheme", None)
        put(book, 9, "segment", "best")
        # A sheet of one's own, a row further down, columns in another order, and a title that somebody made longer.
        book.create_sheet("my notes").append(["message", "=1+1"])
        book["rfm"].title = "rfm (Ann's)"

    found = {row["treatment_id"]: row for row in read_workbook(changed(tmp_path, change), {"rfm"}).rows}
    assert set(found) == {"a", "b", "c"}
    row = found["a"]
    assert row["offer"] == "15"
    assert row["message"] == "from Excel\nin two lines"
    assert (row["valid_from"], row["valid_to"], row["scheme"]) == ("2026-01-02", "2026-11-30", "rfm")


def test_a_workbook_made_by_hand_is_read_by_its_columns(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(
        ["Treatment ID", "Scheme", "Segment", "Channel", "Message", "Value proposition", "Proof", "Tone of voice"]
    )
    book.active.append(["t1", "rfm", "champions", "app", "Hello", "v", "p", "t"])
    book.active.append(["t2", "gender", "female", "mail", "Hi", "v", "p", "t"])
    book.save(tmp_path / "t.xlsx")
    found = read_workbook(tmp_path / "t.xlsx")
    assert [(row["treatment_id"], row["scheme"], row["offer"]) for row in found.rows] == [
        ("t1", "rfm", ""),
        ("t2", "gender", ""),
    ]
    assert (found.schemes, found.noted) == ({"rfm", "gender"}, {})


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"treatment_id;scheme\n"])
def test_a_file_that_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.xlsx").write_bytes(content)
    with pytest.raises(TreatmentsFileError, match=r"t.xlsx: cannot be read as a workbook; save it as .xlsx"):
        read_workbook(tmp_path / "t.xlsx")
    with pytest.raises(TreatmentsFileError, match=r"gone.xlsx: cannot be read \(No such file"):
        read_workbook(tmp_path / "gone.xlsx")


def test_a_workbook_without_treatments_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Quarter", "Budget"])
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(TreatmentsFileError, match=r"t.xlsx: no sheet has the columns of treatments in its first row"):
        read_workbook(tmp_path / "t.xlsx")
