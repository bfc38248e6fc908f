"""The shape of treatments.csv: errors name file, line and column."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from orchestration.seeds.treatments import COLUMNS, TreatmentsFileError, check_named_treatments, read_treatments

HEADER = ",".join(COLUMNS)


def line(treatment_id: str = "t1", valid_from: str = "", message: str = "hello") -> str:
    cells = dict.fromkeys(COLUMNS, "")
    cells |= {"treatment_id": treatment_id, "scheme": "s", "segment": "a", "message": message, "valid_from": valid_from}
    return ",".join(cells.values())


def written(tmp_path: Path, *lines: str, encoding: str = "utf-8", ending: str = "\n") -> Path:
    path = tmp_path / "treatments.csv"
    path.write_bytes(ending.join(lines).encode(encoding))
    return path


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ((HEADER.replace(",offer,", ","), line()), r"line 1: column offer is missing"),
        (
            (HEADER.replace("message", "massage"), line()),
            r"line 1: column message is missing; it has 'massage', which is not known",
        ),
        ((HEADER.replace("offer,", "offer ,"), line()), r"line 1: column offer is missing; it has 'offer '"),
        ((HEADER, line(valid_from=" ")), r"line 2, column valid_from: ' ' is not a date"),
        ((HEADER + ",owner", line() + ","), r"line 1: column owner is there twice"),
        ((HEADER.replace(",", ";"), line()), r"line 1: the columns must be parted by commas"),
        ((HEADER, line(valid_from="31.12.2026")), r"line 2, column valid_from: '31.12.2026' is not a date"),
        (
            (HEADER, line(), line("t2", valid_from="2026-02-30")),
            r"line 3, column valid_from: '2026-02-30' is not a date",
        ),
        ((HEADER, line(message="one, two")), r"line 2, column beyond review_on: 17 cells instead of 16"),
        ((HEADER, "t1,s"), r"line 2, column value_proposition: .* cells|line 2, column segment: 2 cells instead of 16"),
        ((HEADER, line(), line()), r"line 3, column treatment_id: t1 is already the id of line 2"),
        ((HEADER, line(treatment_id=" ")), r"line 2, column treatment_id: is empty"),
        # As Excel saves what was pasted: it would be another treatment, whose arms are drawn anew.
        ((HEADER, line(), line("t1 ")), r"line 3, column treatment_id: 't1 ' has a blank at an end"),
        ((HEADER, line("t\u00a01")), r"line 2, column treatment_id: 't.xa01' has .* a no-break space"),
        ((HEADER, line(message='"open')), r"line 2: .*quotation marks"),
        ((), r"line 1: column .*treatment_id.* is missing"),
    ],
)
def test_an_error_of_shape_names_file_line_and_column(tmp_path: Path, lines: tuple[str, ...], told: str) -> None:
    with pytest.raises(TreatmentsFileError, match=f"^treatments.csv, {told}"):
        read_treatments(written(tmp_path, *lines))


@pytest.mark.parametrize("name", ["uniform_treatments.csv", "treatment_shares.csv", "template_subsets.csv"])
def test_a_seed_that_names_a_treatment_with_a_blank_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    check_named_treatments(tmp_path)
    (tmp_path / name).write_text("reason,treatment_id\nr,t 1\n")
    check_named_treatments(tmp_path)
    (tmp_path / name).write_text("reason,treatment_id\nr,t1\nr,t1\u00a0\n")
    with pytest.raises(TreatmentsFileError, match=rf"^{name}, line 3, column treatment_id: 't1.xa0' has a blank"):
        check_named_treatments(tmp_path)


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER, line(message="plain"), line("t2", message="café"), encoding="latin-1")
    with pytest.raises(TreatmentsFileError, match=r"treatments.csv, line 3: not UTF-8"):
        read_treatments(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TreatmentsFileError, match=r"treatments.csv: cannot be read"):
        read_treatments(tmp_path / "treatments.csv")


def test_a_file_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = written(
        tmp_path, HEADER, line(valid_from="2026-01-31"), "", line("t2", message='"two, ""and\r\nthree"'), "",
        encoding="utf-8-sig", ending="\r\n",
    )  # fmt: skip
    first, second = read_treatments(path)
    assert (first.valid_from, first.line) == (date(2026, 1, 31), 2)
    assert (second.message, second.line) == ('two, "and\r\nthree', 4)


def test_a_column_of_notes_is_read_over(tmp_path: Path) -> None:
    (row,) = read_treatments(written(tmp_path, HEADER + ",notes,", line() + ",ask Ann,"))
    assert row.message == "hello"
