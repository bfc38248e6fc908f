"""Exports and mappings with something wrong: a sentence with file, column and what to write, and nothing lost."""

from __future__ import annotations

import csv
import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import openpyxl.chart
import pytest
import yaml

from orchestration.landing.contract import contract
from orchestration.landing.errors import LandingError
from orchestration.landing.mapping.apply import apply_mapping
from orchestration.landing.mapping.commands import main
from orchestration.landing.mapping.files import Dialect, find_dialect, read_rows
from orchestration.landing.mapping.model import read_mapping
from orchestration.landing.mapping.propose import as_text, propose, read_exports
from tests.support.exports import write
from tests.unit.mapping.test_exports import edited

HEADER = ["Order ID", "Customer ID", "Item", "Order Date", "Qty", "Amount"]
ROWS = [
    [1, "a", "hammer", "2025-01-31", 2, 3.5],
    [1, "a", "nails", "2025-01-31", 1, 4],
    [2, "b", "saw", "2025-02-01", 1, 9],
]


def workbook(
    path: Path, change: Callable[[Any], None] = lambda book: None, rows: Sequence[Sequence[Any]] = ROWS
) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Sales"
    for row in [HEADER, *rows]:
        sheet.append(list(row))
    change(book)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def landed(folder: Path) -> list[list[str]]:
    """The order lines that `make map` and a refresh make of a folder, without the header."""
    proposal = propose(read_exports(folder), contract())
    target = folder.parent / "mapping.yml"
    target.write_text(as_text(proposal, folder, target), encoding="utf-8")
    apply_mapping(read_mapping(target, contract()), folder.parent / "mapped", contract())
    (file,) = (folder.parent / "mapped" / "order_lines").glob("*.csv")
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))[1:]


# ---- workbooks ------------------------------------------------------------------------------------------------------


def test_a_formula_without_its_value_is_named_and_not_taken_for_an_empty_cell(tmp_path: Path) -> None:
    path = workbook(tmp_path / "w.xlsx", lambda book: book["Sales"].__setitem__("F3", "=E3*2"))
    with pytest.raises(LandingError, match=r"w.xlsx, sheet Sales, cell F3 \(column Amount\): a formula .* save it"):
        list(read_rows(path))


@pytest.mark.parametrize("cells", ["A2:A3", "A1:B1"])
def test_merged_cells_are_named_because_all_but_the_first_are_empty(tmp_path: Path, cells: str) -> None:
    path = workbook(tmp_path / "w.xlsx", lambda book: book["Sales"].merge_cells(cells))
    first, last = cells.split(":")
    with pytest.raises(LandingError, match=f"w.xlsx, sheet Sales: cells {first} to {last} are merged.*unmerge them"):
        list(read_rows(path))


def test_a_title_above_the_header_is_named_where_it_is_merged(tmp_path: Path) -> None:
    def titled(book: Any) -> None:
        book["Sales"].insert_rows(1)
        book["Sales"]["A1"] = "Sales of 2025"
        book["Sales"].merge_cells("A1:F1")

    with pytest.raises(LandingError, match=r"cells A1 to F1 are merged.*leave no title above the header"):
        list(read_rows(workbook(tmp_path / "w.xlsx", titled)))


def test_of_several_sheets_each_is_looked_at_and_one_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def sheets(book: Any) -> None:
        book.create_sheet("Empty")
        people = book.create_sheet("People", 0)
        people.append(["Customer ID", "Country"])
        people.append(["a", "Germany"])
        pivot = book.create_sheet("Pivot")
        pivot.append(["By month", None])
        pivot.merge_cells("A1:B1")

    workbook(tmp_path / "export" / "w.xlsx", sheets)
    monkeypatch.setenv("FROM", str(tmp_path / "export"))
    monkeypatch.delenv("MAPPING", raising=False)
    assert main() == 0
    mapping = yaml.safe_load((tmp_path / "export" / "mapping.yml").read_text(encoding="utf-8"))
    assert mapping["tables"]["order_lines"][0]["sheet"] == "Sales"
    assert mapping["tables"]["customers"][0]["sheet"] == "People"
    said = capsys.readouterr().out
    assert "w.xlsx, sheet Pivot: cells A1 to B1 are merged" in said and "Empty" not in said
    mapping["tables"]["order_lines"][0]["sheet"] = "Salse"
    (tmp_path / "export" / "mapping.yml").write_text(yaml.safe_dump(mapping), encoding="utf-8")
    assert main() == 1
    assert "w.xlsx: there is no sheet Salse; its sheets are People, Sales, Empty, Pivot" in capsys.readouterr().err


def test_a_row_of_a_workbook_with_values_beyond_the_header_is_refused_and_not_cut(tmp_path: Path) -> None:
    rows = [*ROWS, [3, "c", "saw", "2025-02-02", 1, 9, "and more"], [4, "c", "saw", "2025-02-03"]]
    workbook(tmp_path / "export" / "w.xlsx", rows=rows)
    lines = landed(tmp_path / "export")
    widths = [len(row) for row in lines]
    assert widths[:3] == [6, 6, 6] and widths[3] > 6 and widths[4] == 6


def test_a_chart_with_a_sheet_of_its_own_is_no_sheet_of_an_export(tmp_path: Path) -> None:
    def charted(book: Any) -> None:
        book.create_chartsheet("Chart", 0).add_chart(openpyxl.chart.BarChart())

    path = workbook(tmp_path / "export" / "w.xlsx", charted)
    assert [row[2] for row in landed(tmp_path / "export")] == ["hammer", "nails", "saw"]
    assert len(list(read_rows(path))) == 4
    with pytest.raises(LandingError, match=r"there is no sheet Chart; its sheets are Sales"):
        list(read_rows(path, sheet="Chart"))


# ---- encodings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_a_file_in_any_of_these_encodings_says_the_same(tmp_path: Path, encoding: str) -> None:
    rows = [(1, "Jörg & Söhne", "Häkchen", "2025-01-31", 2, "3.50"), (2, "b", "Säge", "2025-02-01", 1, "9")]
    write(tmp_path / "export" / "s.csv", ",".join(HEADER), rows, delimiter=";", encoding=encoding)
    assert [row[:3] for row in landed(tmp_path / "export")] == [["1", "Jörg & Söhne", "Häkchen"], ["2", "b", "Säge"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize(("line", "delimiter"), [("sep=;", ";"), ('"sep=\t"', "\t"), ("sep=:", ":"), ("sep=,", ",")])
def test_excels_line_above_the_header_says_the_delimiter_and_is_no_header(
    tmp_path: Path, encoding: str, line: str, delimiter: str
) -> None:
    rows = [(1, "Jörg", "Häkchen", "2025-01-31", 2, "3.50"), (2, "b\nc", "Säge", "2025-02-01", 1, "9")]
    write(tmp_path / "export" / "s.csv", ",".join(HEADER), rows, delimiter=delimiter, encoding=encoding)
    text = (tmp_path / "export" / "s.csv").read_bytes().decode("utf-8-sig" if encoding == "utf-8" else encoding)
    (tmp_path / "export" / "s.csv").write_bytes(f"{line}\r\n{text}".encode(encoding))
    assert [row[:3] for row in landed(tmp_path / "export")] == [["1", "Jörg", "Häkchen"], ["2", "b\nc", "Säge"]]


def test_a_file_of_bytes_that_no_text_has_is_named(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(LandingError, match=r"s.csv: no text in UTF-8, UTF-16, cp1252 or cp1251"):
        find_dialect(tmp_path / "s.csv")


def test_an_encoding_that_changes_below_names_the_row_and_what_to_write(tmp_path: Path) -> None:
    text = "order_id,name\n" + "1,plain\n" * 200_000
    (tmp_path / "s.csv").write_bytes(text.encode() + "2,Jörg\n".encode("cp1252"))
    with pytest.raises(LandingError, match=r"s.csv: not utf-8-sig, near row \d+; write its encoding into the mapping"):
        list(read_rows(tmp_path / "s.csv"))


# ---- folders --------------------------------------------------------------------------------------------------------


def closed(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A folder that cannot be listed; for root every one can."""
    scandir = os.scandir

    def refused(path: Any = ".") -> Any:
        if Path(path) == folder:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)


@pytest.mark.parametrize("pattern", ["*/s.csv", "20*/*.csv", "**/s.csv", "2025/*.csv"])
def test_a_folder_that_cannot_be_listed_stops_a_mapping_that_leads_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    path = edited(tmp_path, lambda body: body["tables"]["order_lines"][0].update(file=pattern))
    for year in ("2024", "2025"):
        (tmp_path / year).mkdir()
        (tmp_path / year / "s.csv").write_bytes((tmp_path / "s.csv").read_bytes())
    mapping = read_mapping(path, contract())
    apply_mapping(mapping, tmp_path / "mapped", contract())
    closed(monkeypatch, tmp_path / "2025")
    with pytest.raises(LandingError, match=r"mapping.yml, order_lines: .*/2025 cannot be read \(Permission denied\)"):
        apply_mapping(mapping, tmp_path / "mapped", contract())


@pytest.mark.parametrize("pattern", ["s.csv", "*.csv", "2024/*.csv", "2*4/*.csv"])
def test_a_folder_that_no_pattern_leads_into_may_be_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    path = edited(tmp_path, lambda body: body["tables"]["order_lines"][0].update(file=pattern))
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024" / "s.csv").write_bytes((tmp_path / "s.csv").read_bytes())
    (tmp_path / "lost+found").mkdir()
    closed(monkeypatch, tmp_path / "lost+found")
    done = apply_mapping(read_mapping(path, contract()), tmp_path / "mapped", contract())
    assert done["order_lines"].rows == 2


def test_the_folder_of_a_disks_own_is_none_of_the_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = edited(tmp_path, lambda body: body["tables"]["order_lines"][0].update(file="**/s.csv"))
    (tmp_path / "lost+found").mkdir()
    closed(monkeypatch, tmp_path / "lost+found")
    done = apply_mapping(read_mapping(path, contract()), tmp_path / "mapped", contract())
    assert done["order_lines"].rows == 2
    passed_over: list[str] = []
    read_exports(tmp_path, passed_over)
    assert passed_over == []


def test_a_proposal_names_folders_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "s.csv", ",".join(HEADER), ROWS)
    (tmp_path / "2025").mkdir()
    closed(monkeypatch, tmp_path / "2025")
    passed_over: list[str] = []
    assert [export.name for export in read_exports(tmp_path, passed_over)] == ["s.csv"]
    assert passed_over == ["2025: folder cannot be read (Permission denied); what it holds is not mapped"]
    closed(monkeypatch, tmp_path)
    with pytest.raises(LandingError, match=r"^FROM=.*: folder cannot be read \(Permission denied\)$"):
        read_exports(tmp_path)


def test_make_map_says_in_a_sentence_what_cannot_be_read_or_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "export" / "s.csv", ",".join(HEADER), ROWS)
    monkeypatch.setenv("FROM", str(tmp_path / "export"))
    monkeypatch.setenv("MAPPING", str(tmp_path / "gone" / "mapping.yml"))
    assert main() == 1
    said = capsys.readouterr().err
    assert said.startswith(
        f"MAPPING={tmp_path}/gone/mapping.yml: cannot be written (No such file or directory); name a"
    )
    (tmp_path / "latin.yml").write_bytes("from: Jörg".encode("cp1252"))
    monkeypatch.setenv("MAPPING", str(tmp_path / "latin.yml"))
    assert main() == 1
    assert capsys.readouterr().err == f"MAPPING={tmp_path}/latin.yml: not YAML in UTF-8\n"
    monkeypatch.delenv("MAPPING")
    opened = Path.open

    def refused(path: Path, *args: Any, **more: Any) -> Any:
        if path.name in ("s.csv", "mapping.yml"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *args, **more)

    monkeypatch.setattr(Path, "open", refused)
    assert main() == 1
    assert capsys.readouterr().err == "s.csv: cannot be read (Permission denied)\n"
    with pytest.raises(LandingError, match=r"^s.csv: cannot be read \(Permission denied\)$"):
        list(read_rows(tmp_path / "export" / "s.csv", Dialect()))
    (tmp_path / "export" / "mapping.yml").touch()
    assert main() == 1
    said = capsys.readouterr().err
    assert said == f"{tmp_path}/export/mapping.yml: cannot be read or written (Permission denied)\n"


# ---- quotes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    ['3,c,saw,2025-02-03,1,9,"gift wrap', '3,c,"saw,2025-02-03,1,9,gift', '3,c,"saw" blade,2025-02-03,1,9,gift'],
    ids=["in the last column", "in another", "text behind a closed one"],
)
def test_a_quote_that_swallows_rows_or_has_text_behind_it_stops_and_names_the_row(tmp_path: Path, row: str) -> None:
    header = ",".join([*HEADER, "Note"])
    lines = [f"{n},c,saw,2025-02-03,1,9,gift" for n in range(1, 101)]
    lines[2] = row
    (tmp_path / "s.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    with pytest.raises(LandingError, match=r"^s.csv: a quote is not closed, or text follows one, in row 3$"):
        list(read_rows(tmp_path / "s.csv"))


def test_a_quote_that_is_not_closed_in_a_joined_file_stops_too(tmp_path: Path) -> None:
    def joined(body: dict[str, Any]) -> None:
        lines = body["tables"]["order_lines"][0]
        lines["join"] = [{"as": "x", "file": "x.csv", "match": {"o": "id"}}]
        lines["columns"]["customer_id"] = "x.who"

    path = edited(tmp_path, joined)
    (tmp_path / "x.csv").write_text('id,who\n1,a\n2,"b\n3,c\n', encoding="utf-8")
    with pytest.raises(LandingError, match=r"x.csv: a quote is not closed, or text follows one, in row 2"):
        apply_mapping(read_mapping(path, contract()), tmp_path / "mapped", contract())


# ---- headers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "Bestellnummer,Kundennummer,Artikel,Bestelldatum,Menge,Betrag",
        "Commande,Client,Article,Date commande,Quantité,Montant",
        "Pedido,Cliente,Referencia,Fecha,Cantidad,Importe",
        "Номер заказа,Клиент,Артикул,Дата,Количество,Сумма",
    ],
)
def test_headers_in_other_languages(tmp_path: Path, header: str) -> None:
    write(tmp_path / "export" / "s.csv", header, ROWS)
    assert landed(tmp_path / "export") == [[str(cell) for cell in row] for row in ROWS]


def test_a_column_without_a_name_and_names_given_twice_are_said(tmp_path: Path) -> None:
    header = "Order ID,Customer ID,Item,Order Date,Qty,Amount,,Note,Note"
    write(tmp_path / "export" / "s.csv", header, [[*row, "x", "y", "z"] for row in ROWS])
    proposal = propose(read_exports(tmp_path / "export"), contract())
    assert proposal.unmapped == {"s.csv": ["Note", "Note", "column 7 (without a name)"]}
    assert any("s.csv: 2 columns are called Note" in question for question in proposal.questions)
    assert [row[0] for row in landed(tmp_path / "export")] == ["1", "1", "2"]


def test_a_header_that_changed_since_is_named_with_the_nearest_column(tmp_path: Path) -> None:
    path = edited(tmp_path, lambda body: body["tables"]["order_lines"][0]["columns"].update(quantity="Quantity"))
    write(tmp_path / "s.csv", "o,c,p,t,Quantität,q,u", [(1, "k", "a", "2025-01-01", 2, 2, "1.5")])
    with pytest.raises(LandingError) as refused:
        apply_mapping(read_mapping(path, contract()), tmp_path / "mapped", contract())
    said = str(refused.value)
    assert "order_lines, quantity: s.csv has no column Quantity (did you mean Quantität?); it has o, c, p" in said
    assert said.endswith("Write the name that its header has now for quantity")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"encoding": "ansi-latin"}, "order_lines, encoding: ansi-latin is none; write utf-8"),
        ({"delimiter": "tab"}, "order_lines, delimiter: 'tab' is no single character"),
        ({"fill_down": ["o"]}, r"order_lines, fill_down: {by: a column, columns: \[columns\]} is needed"),
        ({"fill_down": {"by": "oo", "columns": ["c"]}}, r"fill_down: s.csv has no column oo \(did you mean o\?\)"),
        ({"fill_down": {"by": "o", "columns": ["cc"]}}, r"fill_down: s.csv has no column cc \(did you mean c\?\)"),
        (
            {"join": [{"as": "x", "file": "s.csv", "match": {"oo": "o"}}]},
            r"join: s.csv has no column oo \(did you mean o\?\)",
        ),
        ({"join": [{"as": "x", "file": "gone.csv", "match": {"o": "o"}}]}, "join: there is no file gone.csv"),
    ],
)
def test_what_else_a_mapping_says_wrongly(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = edited(tmp_path, lambda body: body["tables"]["order_lines"][0].update(change))
    with pytest.raises(LandingError, match=said):
        apply_mapping(read_mapping(path, contract()), tmp_path / "mapped", contract())
