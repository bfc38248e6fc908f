"""Values that a mapping computes: numbers in any format, cells that spell an empty one, midnights."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from orchestration.landing.contract import contract
from orchestration.landing.empties import EmptySpellings
from orchestration.landing.errors import LandingError
from orchestration.landing.formats import read_landing_formats
from orchestration.landing.mapping.apply import apply_mapping, as_number
from orchestration.landing.mapping.commands import main
from orchestration.landing.mapping.files import Number
from orchestration.landing.mapping.model import read_mapping
from orchestration.landing.mapping.propose import number_format, propose, read_exports
from orchestration.landing.prepare import prepare
from orchestration.settings import Settings
from tests.support.exports import write

COLUMNS: dict[str, Any] = {
    "order_id": "o",
    "customer_id": "c",
    "product_id": "p",
    "ordered_at": "t",
    "quantity": "q",
    "amount": {"product": ["q", "u"]},
}
HEADER = "o,c,p,t,q,u"


def mapping(tmp_path: Path, files: Sequence[str] = ("s.csv",), **more: Any) -> Path:
    """A mapping file of order lines; `more` are columns, or `settings`."""
    settings = more.pop("settings", {})
    entries = [{"file": file, "columns": {**COLUMNS, **more}} for file in files]
    path = tmp_path / "mapping.yml"
    body = {"from": ".", "salt": "x", "settings": settings, "tables": {"order_lines": entries}}
    path.write_text(yaml.safe_dump(body), encoding="utf-8")
    return path


def mapped(folder: Path, column: str) -> list[str]:
    """A column of what was mapped, files in order."""
    found = []
    for path in sorted((folder / "order_lines").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found += [row[column] for row in csv.DictReader(file)]
    return found


def applied(path: Path, column: str, landing_formats: Any = None) -> list[str]:
    apply_mapping(read_mapping(path, contract()), path.parent / "mapped", contract(), landing_formats=landing_formats)
    return mapped(path.parent / "mapped", column)


def lines(*prices: object, at: object = "2025-01-01") -> list[tuple[object, ...]]:
    return [(n, "k", "a", at, 2, price) for n, price in enumerate(prices, 1)]


# ---- numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "plain", "point", "comma"),
    [
        ("12.90", "12.90", "12.90", "12.90"),
        ("12,90", None, None, "12.90"),
        ("1,234", None, "1234", "1.234"),
        ("1.488", "1.488", "1.488", "1488"),
        ("1,234.50", "1234.50", "1234.50", None),
        ("1.234,50", None, None, "1234.50"),
        ("1,234,567", "1234567", "1234567", None),
        ("1.234.567", None, None, "1234567"),
        ("1 234", "1234", "1234", "1234"),
        ("1'234.5", "1234.5", "1234.5", None),
        ("12 90", None, None, None),
        ("12,34,567", None, None, None),
        ("0,500", None, None, "0.500"),
        ("0.500", "0.500", "0.500", "0.500"),
        ("$1,234.50", "1234.50", "1234.50", None),
        ("-$5.00", "-5.00", "-5.00", "-5.00"),
        ("($5.00)", "-5.00", "-5.00", "-5.00"),
        ("5,00 €", None, None, "5.00"),
        ("1e3", "1e3", "1e3", "1e3"),
        ("1_000", None, None, None),
        ("5 $ 7", None, None, None),
        ("12,", None, None, "12"),
        ("x", None, None, None),
        ("", None, None, None),
    ],
)
def test_separators_are_read_where_they_can_be_meant_in_one_way(
    text: str, plain: str | None, point: str | None, comma: str | None
) -> None:
    for written, expected in (("", plain), ("plain", plain), ("decimal_point", point), ("decimal_comma", comma)):
        if expected is None:
            with pytest.raises(InvalidOperation):
                as_number(text, written)
        else:
            assert as_number(text, written) == Decimal(expected), written


def test_a_cell_that_is_a_number_is_read_as_it_is_whatever_is_set() -> None:
    assert as_number(Number("1.488"), "decimal_comma") == Decimal("1.488")


def test_a_decimal_of_a_database_without_a_fraction_is_a_whole_number(tmp_path: Path) -> None:
    decimals = {
        name: pa.array([Decimal(value)], pa.decimal128(38, 10)) for name, value in {"c": "1001", "u": "1.5"}.items()
    }
    texts = {"o": ["1"], "p": ["a"], "t": ["2025-01-01"], "q": [2]}
    pq.write_table(pa.table({**texts, **decimals}), tmp_path / "s.parquet")
    path = mapping(tmp_path, ["s.parquet"])
    assert applied(path, "customer_id") == ["1001"]
    assert mapped(tmp_path / "mapped", "amount") == ["3"]


def test_a_comma_among_points_is_refused_and_not_dropped(tmp_path: Path) -> None:
    write(tmp_path / "s.csv", HEADER, lines("12,90", "5.00"))
    assert applied(mapping(tmp_path), "amount") == ["2 x 12,90", "10"]


@pytest.mark.parametrize(
    ("formats", "amounts"),
    [
        ({"order_lines": {"numbers": "decimal_comma"}}, ["25,8", "2976"]),
        ({"order_lines": {"numbers": {"amount": "decimal_comma"}}}, ["25,8", "2976"]),
        ({"order_lines": {"numbers": {"discount_amount": "decimal_comma"}}}, ["2 x 12,90", "2.976"]),
    ],
)
def test_a_product_is_read_as_its_own_column_is_set(tmp_path: Path, formats: Any, amounts: list[str]) -> None:
    write(tmp_path / "s.csv", HEADER, lines("12,90", "1.488"))
    path = mapping(tmp_path)
    assert applied(path, "amount", formats) == amounts
    # The setting is part of what the mapped files are made from.
    assert applied(path, "amount", {}) == ["2 x 12,90", "2.976"]


def test_numbers_of_a_workbook_beside_a_file_with_commas_are_numbers(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", HEADER, lines("12,90"))
    book = openpyxl.Workbook()
    for row in (HEADER.split(","), *lines(12.5, 1.488)):
        book.active.append(row)
    book.save(tmp_path / "b.xlsx")
    pq.write_table(
        pa.table({name: [value] for name, value in zip(HEADER.split(","), lines(Decimal("1.488"))[0], strict=True)}),
        tmp_path / "c.parquet",
    )
    settings = {"landing_formats": {"order_lines": {"numbers": "decimal_comma"}}}
    path = mapping(tmp_path, ("a.csv", "b.xlsx", "c.parquet"), discount_amount="u", settings=settings)
    assert applied(path, "amount") == ["25,8", "25", "2,976", "2,976"]
    # As landing writes numbers of Parquet: with a fourth decimal, which no thousand has.
    assert mapped(tmp_path / "mapped", "discount_amount") == ["12,90", "12.5", "1.4880", "1.4880"]


def test_a_discount_that_cannot_be_read_refuses_the_row_and_is_not_left_out(tmp_path: Path) -> None:
    write(tmp_path / "s.csv", HEADER, [(1, "k", "a", "2025-01-01", "x", "5"), (2, "k", "a", "2025-01-01", "1", "5")])
    assert applied(mapping(tmp_path, amount={"product": ["u"], "less": "q"}), "amount") == ["5 - x", "4"]
    assert applied(mapping(tmp_path, amount={"product": ["u", {"one_minus": "q"}]}), "amount") == ["5 x (1 - x)", "0"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["12,90", "5.00"], "?"),
        (["12,90", "1.488"], "?"),
        (["1,234"], "?"),
        (["1,234", "1.488"], "?"),
        (["1,234", "5.50"], "decimal_point"),
        (["1,234", "5,5"], "decimal_comma"),
        (["1,234,567"], "decimal_point"),
    ],
)
def test_a_comma_that_could_be_either_is_a_question(values: list[str], said: str) -> None:
    assert number_format(values) == said


def test_files_of_a_table_that_write_numbers_in_two_ways_are_a_question_and_no_setting(tmp_path: Path) -> None:
    header = "order_id,customer_id,product_id,date,qty,amount"
    write(tmp_path / "export" / "a.csv", header, lines("12,90"))
    write(tmp_path / "export" / "b.csv", header, lines("1,234.50"))
    write(tmp_path / "export" / "c.csv", header, lines("12,95"))
    proposal = propose(read_exports(tmp_path / "export"), contract())
    assert proposal.settings == {}
    assert any("in some columns or files and with a decimal point in others" in each for each in proposal.questions)
    write(tmp_path / "export" / "b.csv", header, lines("5.00", "12,90"))
    proposal = propose(read_exports(tmp_path / "export"), contract())
    assert any("is the comma of amount a decimal comma or between thousands (12,90)?" in q for q in proposal.questions)


# ---- dates ----------------------------------------------------------------------------------------------------------


def asked(tmp_path: Path, header: str, **dates: Sequence[Sequence[str]]) -> tuple[Any, str]:
    """The setting `dates` of order lines that is proposed for files of these dates, and what is asked."""
    for name, rows in dates.items():
        lines = [(n, "c", "p", *cells, 1, 1) for n, cells in enumerate(rows, 1)]
        write(tmp_path / "export" / f"{name}.csv", f"order_id,customer_id,product_id,{header},qty,amount", lines)
    proposal = propose(read_exports(tmp_path / "export"), contract())
    formats = proposal.settings.get("landing_formats", {})
    read_landing_formats(formats, contract())
    return formats.get("order_lines", {}).get("dates"), "\n".join(proposal.questions)


def test_files_of_a_table_that_write_a_date_in_two_ways_are_a_question_and_no_setting(tmp_path: Path) -> None:
    one, other, iso = [("31/01/2025",)], [("01/31/2025",)], [("2025-01-31",)]
    dates, questions = asked(tmp_path, "date", a=one, b=other, c=one)
    assert dates is None
    said = "b.csv: the dates of order_lines.ordered_at are MM/DD/YYYY here and DD/MM/YYYY in other columns or files"
    assert questions.count("export them alike") == 1 and said in questions
    assert asked(tmp_path, "date", a=one, b=iso, c=one) == ("DD/MM/YYYY", "")


def test_columns_that_write_dates_in_two_ways_have_a_setting_each(tmp_path: Path) -> None:
    names = ("customer_id", "birth_date", "registered_on")
    write(tmp_path / "export" / "customers.csv", ",".join(names), [("c", "1/31/1980", "31.01.2025")])
    asked(tmp_path, "date", a=[("2025-01-31",)])
    proposal = propose(read_exports(tmp_path / "export"), contract())
    assert proposal.settings["landing_formats"] == {
        "customers": {"dates": {"birth_date": "MM/DD/YYYY", "registered_on": "DD.MM.YYYY"}}
    }


def test_a_day_that_could_be_a_month_is_asked_for_in_formats_that_can_be_set(tmp_path: Path) -> None:
    dates, questions = asked(tmp_path, "date", a=[("01-02-25",)])
    assert dates is None
    assert "a.csv: are the dates of date DD-MM-YY or MM-DD-YY (01-02-25)?" in questions


# ---- empty cells ----------------------------------------------------------------------------------------------------


def test_a_cell_that_spells_an_empty_one_is_no_customer_no_text_and_no_rebate(tmp_path: Path) -> None:
    spelled = ("NULL", " N/A ", "-", "", "a@b.example")
    write(
        tmp_path / "s.csv",
        HEADER,
        [(n, e, "a", "2025-01-01", e if n < 5 else 1, "5") for n, e in enumerate(spelled, 1)],
    )
    path = mapping(
        tmp_path,
        customer_id={"digest": "c"},
        amount={"product": ["u"], "less": "q"},
        discount_amount={"product": ["u", {"one_minus": "q"}]},
        coupon_amount={"product": ["u", "q"]},
        channel={"template": "{c} {q}"},
        quantity={"constant": "1"},
    )
    customers = applied(path, "customer_id")
    assert customers[:4] == [""] * 4 and len(customers[4]) == 24
    for column, values in {
        "amount": ["5", "5", "5", "5", "4"],
        "discount_amount": ["5", "5", "5", "5", "0"],
        "coupon_amount": ["", "", "", "", "5"],
        "channel": ["", "", "", "", "a@b.example 1"],
    }.items():
        assert mapped(tmp_path / "mapped", column) == values, column


def test_cells_that_spell_an_empty_key_meet_in_no_join(tmp_path: Path) -> None:
    keys = ("a@b.example", "", " ", "NULL", "N/A", "NA")
    write(tmp_path / "s.csv", HEADER, [(n, key, "a", "2025-01-01", 1, 5) for n, key in enumerate(keys, 1)])
    write(tmp_path / "people.csv", "Email,ID", [(key, 76 + n) for n, key in enumerate(keys, 1)])
    path = mapping(tmp_path, customer_id="people.ID", channel="c")
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    body["tables"]["order_lines"][0]["join"] = [{"as": "people", "file": "people.csv", "match": {"c": "Email"}}]
    path.write_text(yaml.safe_dump(body), encoding="utf-8")
    assert applied(path, "customer_id") == ["77", "", "", "", "", ""]
    # The spellings of the contract's column that the key is.
    empties = EmptySpellings((("NA", "", "", True), ("NA", "order_lines", "channel", False)))
    apply_mapping(read_mapping(path, contract()), tmp_path / "mapped", contract(), empties=empties)
    assert mapped(tmp_path / "mapped", "customer_id") == ["77", "", "", "80", "81", "82"]


def test_a_refresh_and_make_map_go_by_settings_and_seeds_outside_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        tmp_path / "s.csv",
        HEADER,
        [(1, "nobody", "a", "2025-01-01", 2, "12,90"), (2, "k", "a", "2025-01-01", 1, "3,5")],
    )
    path = mapping(tmp_path, customer_id={"digest": "c"})
    (tmp_path / "settings.yml").write_text("landing_formats: {order_lines: {numbers: decimal_comma}}\n")
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "empty_spellings.csv").write_text(
        "spelling,source_table,column_name,is_empty,reading\nnobody,,,true,nobody\n"
    )
    prepare(Settings(None, tmp_path / "wh", None, "UTC", "duckdb", tmp_path / "settings.yml", seeds, mapping_file=path))
    assert mapped(tmp_path / "wh" / "mapped", "amount") == ["25,8", "3,5"]
    assert mapped(tmp_path / "wh" / "mapped", "customer_id")[0] == ""
    for name, value in {"SETTINGS": tmp_path / "settings.yml", "SEEDS_DIR": seeds, "MAPPING": path}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("FROM", str(tmp_path))
    monkeypatch.setenv("LANDING_DIR", str(tmp_path))
    assert main() == 0
    assert "25,8" in capsys.readouterr().out
    (tmp_path / "settings.yml").write_text("landing_formats: {order_lines: {numbers: commas}}\n")
    assert main() == 1
    assert "landing_formats.order_lines.numbers: 'commas' is not known" in capsys.readouterr().err


# ---- midnights ------------------------------------------------------------------------------------------------------

MIDNIGHT, EVENING = datetime(2026, 1, 2), datetime(2026, 1, 1, 19, 30)


def test_a_midnight_among_other_times_is_a_moment(tmp_path: Path) -> None:
    rows = [*lines(1, at=MIDNIGHT), *lines(1, at=EVENING)]
    book = openpyxl.Workbook()
    for row in (HEADER.split(","), *rows):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    columns = list(zip(*rows, strict=True))
    pq.write_table(pa.table(dict(zip(HEADER.split(","), map(list, columns), strict=True))), tmp_path / "b.parquet")
    said = ["2026-01-02 00:00:00", "2026-01-01 19:30:00"]
    files = ("a.xlsx", "b.parquet")
    assert applied(mapping(tmp_path, files), "ordered_at") == said * 2
    # The same alone in a template, and before an offset.
    assert applied(mapping(tmp_path, files, ordered_at={"template": "{t}"}), "ordered_at") == said * 2
    with_offset = [f"{text}+00:00" for text in said]
    assert applied(mapping(tmp_path, files, ordered_at={"template": "{t}+00:00"}), "ordered_at") == with_offset * 2
    # A text is no moment.
    assert applied(mapping(tmp_path, files, channel="t"), "channel") == ["2026-01-02", said[1]] * 2


def test_days_of_a_workbook_stay_days_beside_a_time_and_where_all_are(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Order ID", "Customer ID", "Item", "Order Date", "Time", "Qty", "Amount"])
    book.active.append([1, "k", "a", date(2026, 1, 2), time(10, 30), 1, 5])
    book.active.append([2, "k", "a", date(2026, 1, 3), None, 1, 5])
    (tmp_path / "export").mkdir()
    book.save(tmp_path / "export" / "w.xlsx")
    (entry,) = [e for e in propose(read_exports(tmp_path / "export"), contract()).entries if e.table == "order_lines"]
    assert entry.columns["ordered_at"].template == "{Order Date} {Time}"
    book.save(tmp_path / "w.xlsx")
    columns = {name: source.column for name, source in entry.columns.items() if source.column}
    path = mapping(tmp_path, ("w.xlsx",), **{**columns, "ordered_at": {"template": "{Order Date} {Time}"}})
    assert applied(path, "ordered_at") == ["2026-01-02 10:30:00", "2026-01-03"]
    # Midnight throughout the file: days, when landing has looked at the whole of it.
    path = mapping(tmp_path, ("w.xlsx",), **{**columns, "ordered_at": "Order Date"})
    prepare(Settings(None, tmp_path / "wh", None, "UTC", "duckdb", mapping_file=path))
    (landed,) = (tmp_path / "wh" / "landed" / "order_lines").glob("*.parquet")
    assert pq.read_table(landed).column("ordered_at").to_pylist() == ["2026-01-02", "2026-01-03"]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_line_ends_inside_a_cell_stay_in_it_and_tear_no_row(tmp_path: Path, ending: str) -> None:
    channels = ["Soap\r", "Bar\rsoap", "Bar\nsoap", "Bar\r\nsoap", "Soap"]
    rows = [(str(n), "k", "a", "2025-01-01", "2", "1.5", channel) for n, channel in enumerate(channels)]
    if ending == "csv":
        (tmp_path / "s.csv").write_text(
            f"{HEADER},h\n" + "".join(",".join([*row[:-1], f'"{row[-1]}"']) + "\n" for row in rows),
            encoding="utf-8",
            newline="",
        )
    else:
        names = [*HEADER.split(","), "h"]
        pq.write_table(
            pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))), tmp_path / "s.parquet"
        )
    path = mapping(tmp_path, (f"s.{ending}",), channel="h")
    apply_mapping(read_mapping(path, contract()), tmp_path / "mapped", contract())
    (written,) = (tmp_path / "mapped" / "order_lines").glob("*.csv")
    with written.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file, strict=True))
    assert [row["channel"] for row in found] == channels and [row["order_id"] for row in found] == list("01234")


def test_texts_of_parquet_without_their_mark_are_texts_and_a_picture_beside_them_stops_nothing(tmp_path: Path) -> None:
    columns: dict[str, Any] = {name: [b"1"] for name in HEADER.split(",")}
    columns |= {"t": [b"2025-01-01"], "h": ["Käse".encode()], "picture": [b"\xff\xd8"]}
    pq.write_table(pa.table(columns), tmp_path / "s.parquet")
    assert applied(mapping(tmp_path, ("s.parquet",), channel="h"), "channel") == ["Käse"]
    assert mapped(tmp_path / "mapped", "amount") == ["1"]
    # Bytes that say they are text in UTF-8, and are none.
    marked = pa.Array.from_buffers(pa.string(), 1, pa.array([b"J\xf6rg"]).buffers())
    pq.write_table(pa.table(columns | {"h": marked}), tmp_path / "s.parquet")
    with pytest.raises(LandingError, match=r"^s.parquet: a column is not text in UTF-8"):
        applied(mapping(tmp_path, ("s.parquet",), channel="h"), "channel")
