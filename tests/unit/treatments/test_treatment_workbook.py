"""The treatments as a workbook and back: nothing is lost, nothing is computed, what is wrong is named by its cell."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from treatment_seeds import seed_file, seed_rows

from orchestration.treatments.rows import COLUMNS, DATES
from orchestration.treatments.workbook import (
    SHOWN,
    Offered,
    SchemeSheet,
    read_workbook,
    write_workbook,
)

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
    ids = draw(st.lists(TEXTS.filter(lambda text: bool(text.strip())), max_size=6, unique=True))
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


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=treatments())
def test_a_workbook_comes_back_as_it_went(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(write_workbook(rows, [SchemeSheet("rfm", ["champions"])], Offered(), ["Read me"]))
    assert by_id(read_workbook(path).rows) == by_id(rows)


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
