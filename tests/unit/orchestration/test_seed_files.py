"""Seeds as spreadsheets save them are read as they are meant, by dbt and by Python."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration import overrides, settings
from orchestration.overrides import completed_seed, describe, own_seeds, plain_seed, prepare_seeds, treatment_places
from orchestration.seeds.files import as_csv, column_types, dressed, is_plain, plain_rows, plain_value, read_day
from orchestration.settings import SHIPPED_SEEDS, Settings, SettingsError, read_settings
from orchestration.treatments.edited import channels

SHARES = "treatment_shares.csv"
ROWS = [
    ["treatment_id", "share_treated", "reason"],
    ["rfm_champions", "0.33", 'A "reason", with; both\nin two lines'],
    ["rfm_hibernating", "0.5", "Größe"],
]


def saved(rows: list[list[str]], delimiter: str, encoding: str, ends: str = "\r\n") -> bytes:
    sink = io.StringIO()
    csv.writer(sink, delimiter=delimiter, lineterminator=ends).writerows(rows)
    return sink.getvalue().encode(encoding)


# As Excel saves it in Germany, in the United States, as `Unicode text`; LibreOffice; an old Mac.
DRESSES = {
    "semicolons": saved([[cell.replace("0.", "0,") for cell in row] for row in ROWS], ";", "utf-8-sig"),
    "sep line": b"sep=;\r\n" + saved(ROWS, ";", "utf-8"),
    "tabs in UTF-16": saved(ROWS, "\t", "utf-16"),
    "byte order mark": saved(ROWS, ",", "utf-8-sig"),
    "CRLF within too": saved(ROWS, ",", "utf-8").replace(b"\n", b"\r\n").replace(b"\r\r\n", b"\r\n"),
    "all quoted": as_csv(ROWS).replace("rfm_champions", '"rfm_champions"').encode(),
    "empty rows and columns": saved([[*row, "", ""] for row in [*ROWS, ["", "", ""]]], ";", "utf-8-sig"),
}


@pytest.mark.parametrize("dress", DRESSES)
def test_the_same_rows_in_other_clothes_are_the_same_file_to_the_byte(tmp_path: Path, dress: str) -> None:
    path = tmp_path / SHARES
    path.write_bytes(DRESSES[dress])
    assert completed_seed(path, SHIPPED_SEEDS / SHARES) == as_csv(ROWS)
    # And plain clothes are left as they are.
    path.write_text(as_csv(ROWS), encoding="utf-8")
    assert completed_seed(path, SHIPPED_SEEDS / SHARES) == as_csv(ROWS)


def test_the_shipped_rows_in_other_clothes_are_the_shipped_file_to_the_byte(tmp_path: Path) -> None:
    """So that nothing is built again, whatever quotation marks the shipped file has."""
    for path in sorted(SHIPPED_SEEDS.glob("*.csv")):
        copy = tmp_path / path.name
        copy.write_bytes(saved(plain_seed(path), ";" if len(plain_seed(path)[0]) > 1 else ",", "utf-8-sig"))
        assert not is_plain(copy.read_bytes())
        assert completed_seed(copy, path) == path.read_text(encoding="utf-8"), path.name


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\x00\ufeff")), min_size=3, max_size=3),
        max_size=5,
    )
)
def test_texts_survive_every_dress(rows: list[list[str]]) -> None:
    header = ["treatment_id", "message", "reason"]
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    for delimiter, encoding in ((";", "utf-8-sig"), ("\t", "utf-16"), (",", "utf-8")):
        content = saved([header, *rows], delimiter, encoding)
        assert plain_rows(content, "f.csv", header, {}) == [header, *kept]


@pytest.mark.parametrize(
    ("text", "type_", "delimiter", "plain"),
    [
        ("0,33", "double", ";", "0.33"),
        ("0,33", "double", ",", "0.33"),
        ("-1.234,5", "double", ";", "-1234.5"),
        ("1,234.5", "decimal(18, 4)", ",", "1234.5"),
        ("1 234,5", "double", ";", "1234.5"),
        ("33 %", "double", ";", "0.33"),
        ("2.5E-3", "double", ",", "2.5E-3"),
        ("1.000.000", "bigint", ";", "1000000"),
        ("1,000", "integer", ",", "1000"),
        ("3,0", "integer", ";", "3"),
        ("0.125", "double", ";", "0.125"),
        ("1.234", "double", ",", "1.234"),
        ("WAHR", "boolean", ";", "true"),
        ("FALSE", "boolean", ",", "false"),
        ("yes", "boolean", ",", "yes"),
        ("30.11.2026", "date", ";", "2026-11-30"),
        ("1.2.2026 00:00:00", "date", ";", "2026-02-01"),
        (" 0,5 ", "varchar", ";", " 0,5 "),
        ("", "double", ";", ""),
    ],
)
def test_numbers_dates_and_flags_are_read_as_they_are_meant(text: str, type_: str, delimiter: str, plain: str) -> None:
    assert plain_value(text, type_, delimiter, "f.csv, line 2, column c") == plain


@pytest.mark.parametrize(
    ("text", "type_", "delimiter", "told"),
    [
        # A thousand and some, or one and a bit.
        ("1,234", "double", ",", r"'1,234' is not a number that can be read one way only; write it as 0.33"),
        ("1.234", "double", ";", "one way only"),
        ("2,5", "integer", ";", "one way only; write it as 1000"),
        ("many", "bigint", ",", "one way only"),
        ("11/12/2026", "date", ",", r"did you mean 2026-11-12 or 2026-12-11\?"),
        ("11/30/2026", "date", ",", r"did you mean 2026-11-30\?"),
        ("31.02.2026", "date", ";", "is not a date such as 2026-11-30$"),
    ],
)
def test_what_could_be_two_is_refused_with_its_place(text: str, type_: str, delimiter: str, told: str) -> None:
    with pytest.raises(SettingsError, match=rf"^f.csv, line 2, column c: .*{told}"):
        plain_value(text, type_, delimiter, "f.csv, line 2, column c")
    assert read_day("2026-11-30") == ("2026-11-30", "")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a;b\nGröße;x\n".encode("cp1252"), r"line 2: not UTF-8; save it as `CSV UTF-8`"),
        (b"a;b\n1;2;3\n", r"line 2, column beyond b: 3 cells instead of 2"),
        (b"a;b\n\n1\n", r"line 3, column b: 1 cells instead of 2"),
        (b'a;b\n1;"2\n', r"line 2: .*quotation marks"),
        (b"a\x00;b\n", "zero bytes"),
    ],
)
def test_a_torn_file_is_named_with_its_line(content: bytes, told: str) -> None:
    with pytest.raises(SettingsError, match=f"^f.csv.*{told}"):
        plain_rows(content, "f.csv", ["a", "b"], {})


def test_types_are_those_of_the_yaml_files() -> None:
    assert column_types()["treatment_shares"]["share_treated"] == "double"
    assert column_types()["treatments"]["review_on"] == "date"


def test_dbt_by_hand_stops_before_a_seed_that_a_spreadsheet_saved(tmp_path: Path) -> None:
    from orchestration.landing.plugin import _stop_before_a_spreadsheets_seeds

    _stop_before_a_spreadsheets_seeds(SHIPPED_SEEDS)
    (tmp_path / "plain.csv").write_text("a,b\n1,2\n")
    (tmp_path / SHARES).write_bytes(DRESSES["semicolons"])
    with pytest.raises(SettingsError, match=r"treatment_shares.csv saved as a spreadsheet saves it .*make settings"):
        _stop_before_a_spreadsheets_seeds(tmp_path)


# ---- whose seeds hold -----------------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    (tmp_path / "seeds").mkdir()
    return Settings(tmp_path, tmp_path / "wh", None, "UTC", "duckdb", own_seeds_dir=tmp_path / "seeds")


def test_the_treatments_may_be_a_workbook_but_not_beside_a_csv_file(own: Settings, tmp_path: Path) -> None:
    from orchestration.seeds.workbook import Offered, write_workbook

    rows = [dict(zip(plain_seed(SHIPPED_SEEDS / "treatments.csv")[0], row, strict=True)) for row in _shipped()]
    folder = tmp_path / "seeds"
    (folder / "treatments.xlsx").write_bytes(write_workbook(rows, [], Offered(), ["Read me"]))
    (folder / "~$treatments.xlsx").write_bytes(b"open in Excel")
    (folder / "_treatments.xlsx").write_bytes(b"a copy")
    prepare_seeds(own)
    # The same treatments: the same file, so that nothing is built again.
    assert (own.seeds_dir / "treatments.csv").read_bytes() == (SHIPPED_SEEDS / "treatments.csv").read_bytes()
    assert treatment_places(own)["rfm_champions"] == "treatments.xlsx, sheet rfm, row 2"
    assert "treatments.csv  from" in describe(own) and "treatments.xlsx" in describe(own)
    (folder / "treatments.csv").write_bytes((SHIPPED_SEEDS / "treatments.csv").read_bytes())
    with pytest.raises(
        SettingsError, match=r"treatments.csv and treatments.xlsx are both there; keep the one that holds"
    ):
        own_seeds(folder)


def _shipped() -> list[list[str]]:
    return plain_seed(SHIPPED_SEEDS / "treatments.csv")[1:]


@pytest.mark.parametrize("name", ["channels.xlsx", "treatment.xlsx", "treatments.xls", "treatments.ods"])
def test_a_workbook_that_is_no_seed_is_refused_and_notes_are_passed_over(
    own: Settings, tmp_path: Path, name: str
) -> None:
    (tmp_path / "seeds" / "my notes.xlsx").write_bytes(b"")
    assert own_seeds(tmp_path / "seeds") == {}
    (tmp_path / "seeds" / name).write_bytes(b"")
    with pytest.raises(SettingsError, match=rf"{name} replaces no seed; of workbooks, treatments.xlsx alone"):
        own_seeds(tmp_path / "seeds")


def test_a_torn_workbook_is_refused_by_name(own: Settings, tmp_path: Path) -> None:
    (tmp_path / "seeds" / "treatments.xlsx").write_bytes(b"no workbook")
    with pytest.raises(SettingsError, match=r"treatments.xlsx: cannot be read as a workbook; save it as .xlsx"):
        prepare_seeds(own)


def test_treatments_from_before_there_were_review_dates_still_hold(own: Settings, tmp_path: Path) -> None:
    table = plain_seed(SHIPPED_SEEDS / "treatments.csv")
    assert table[0][-1] == "review_on"
    (tmp_path / "seeds" / "treatments.csv").write_text(as_csv(row[:-1] for row in table), encoding="utf-8")
    prepare_seeds(own)
    assert (own.seeds_dir / "treatments.csv").read_bytes() == (SHIPPED_SEEDS / "treatments.csv").read_bytes()


def test_a_row_is_named_by_the_line_of_the_file_that_somebody_edits(own: Settings, tmp_path: Path) -> None:
    table = plain_seed(SHIPPED_SEEDS / "treatments.csv")
    content = b"sep=;\r\n" + saved([table[0], ["", *[""] * (len(table[0]) - 1)], *table[1:]], ";", "utf-8")
    (tmp_path / "seeds" / "treatments.csv").write_bytes(content)
    assert treatment_places(own)[table[1][0]] == "treatments.csv, line 4"


def test_a_seed_of_the_checkout_that_a_spreadsheet_saved_is_read_in_plain_clothes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for path in SHIPPED_SEEDS.iterdir():
        (checkout / path.name).write_bytes(path.read_bytes())
    for module in (overrides, settings):
        monkeypatch.setattr(module, "SHIPPED_SEEDS", checkout)
    environ = {"LANDING_DIR": str(tmp_path), "WAREHOUSE_DIR": str(tmp_path / "wh")}
    assert read_settings(environ).seeds_dir == checkout
    table = plain_seed(checkout / "channels.csv")
    (checkout / "channels.csv").write_bytes(saved([*table, ["pigeon", "Brieftaube", "Ü"]], ";", "utf-8-sig"))
    assert dressed(checkout) == ["channels.csv"]
    held = read_settings(environ)
    prepare_seeds(held)
    assert held.seeds_dir == tmp_path / "wh" / "seeds"
    assert channels(held.seeds_dir)[-1] == "pigeon"
    assert f"SEEDS_PATH={held.seeds_path} dbt build" in describe(held)
    others = [path.name for path in SHIPPED_SEEDS.glob("*.csv") if path.name != "channels.csv"]
    assert all((held.seeds_dir / name).read_bytes() == (SHIPPED_SEEDS / name).read_bytes() for name in others)
