"""From the folder of an export to what lands, by the proposal alone, for the headers of five kinds of shops."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from orchestration.landing.contract import contract
from orchestration.landing.errors import LandingError
from orchestration.landing.formats import DATES
from orchestration.landing.mapping.apply import apply_mapping, as_number
from orchestration.landing.mapping.model import Join, read_mapping
from orchestration.landing.mapping.propose import as_text, date_format, number_format, propose, read_exports
from tests.support import exports
from tests.support.exports import CATEGORIES, COUNTRIES, PRODUCTS, Sale, sales, write

LINES = sales()


def mapped(folder: Path) -> tuple[dict[str, list[dict[str, str]]], dict]:
    """The landing zone that the proposal makes of a folder: rows by table, and the proposed settings."""
    proposal = propose(read_exports(folder), contract())
    target = folder.parent / "mapping.yml"
    target.write_text(as_text(proposal, folder, target), encoding="utf-8")
    mapping = read_mapping(target, contract())
    apply_mapping(mapping, folder.parent / "mapped", contract())
    zone: dict[str, list[dict[str, str]]] = {}
    for path in sorted((folder.parent / "mapped").glob("*/*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            zone.setdefault(path.parent.name, []).extend(csv.DictReader(file))
    return zone, dict(mapping.settings)


def of(kind: Callable[[Path, Sequence[Sale]], None], tmp_path: Path) -> tuple[dict[str, list[dict[str, str]]], dict]:
    kind(tmp_path / "export", LINES)
    return mapped(tmp_path / "export")


def money(rows: list[dict[str, str]]) -> list[Decimal]:
    return [as_number(row["amount"], "") for row in rows]


def test_a_gift_shop_with_descriptions_beside_its_lines(tmp_path: Path) -> None:
    zone, settings = of(exports.gift_shop, tmp_path)
    lines = zone["order_lines"]
    assert [row["order_id"] for row in lines] == [str(536000 + s.order) for s in LINES]
    assert [row["customer_id"] for row in lines] == ["" if s.order % 7 == 0 else str(17000 + s.customer) for s in LINES]
    assert money(lines) == [s.amount for s in LINES]
    assert settings["landing_formats"]["order_lines"]["dates"] == "MM/DD/YYYY"
    assert {row["product_id"]: row["product_name"] for row in zone["products"]} == {
        f"P{n}": name.upper() for n, name in enumerate(PRODUCTS)
    }
    assert {row["customer_id"]: row["country"] for row in zone["customers"]} == {
        str(17000 + s.customer): COUNTRIES[s.customer % 3] for s in LINES if s.order % 7
    }


def test_a_shopify_export_with_orders_told_on_their_first_line(tmp_path: Path) -> None:
    zone, _ = of(exports.shopify, tmp_path)
    lines = zone["order_lines"]
    assert [row["ordered_at"] for row in lines] == [f"{s.at:%Y-%m-%d %H:%M:%S} +0100" for s in LINES]
    assert money(lines) == [s.amount for s in LINES]
    # Each address is one customer, and none is in what lands.
    assert len({(s.customer, row["customer_id"]) for s, row in zip(LINES, lines, strict=True)}) == 12
    assert "@" not in "".join(row["customer_id"] for row in lines)
    assert {row["currency"] for row in lines} == {"EUR"}


def test_a_woocommerce_export_with_orders_and_lines_apart(tmp_path: Path) -> None:
    zone, _ = of(exports.woocommerce, tmp_path)
    lines = zone["order_lines"]
    assert [row["ordered_at"] for row in lines] == [str(s.at) for s in LINES]
    assert [row["customer_id"] for row in lines] == ["0" if s.order % 5 == 0 else str(s.customer) for s in LINES]
    assert money(lines) == [s.amount for s in LINES]
    # Of two columns of ids, the one by which the lines name products.
    assert {row["product_id"]: row["category"] for row in zone["products"]} == {
        str(100 + n): category for n, category in enumerate(CATEGORIES)
    }


def test_a_square_export_with_date_and_time_apart(tmp_path: Path) -> None:
    zone, settings = of(exports.square, tmp_path)
    lines = zone["order_lines"]
    assert [row["ordered_at"] for row in lines] == [f"{s.at:%m/%d/%Y %H:%M:%S}" for s in LINES]
    assert settings["landing_formats"]["order_lines"]["dates"] == "MM/DD/YYYY"
    assert money(lines) == [s.amount for s in LINES]
    assert {row["product_id"]: row["product_name"] for row in zone["products"]} == {
        f"S{n}": name for n, name in enumerate(PRODUCTS)
    }


def test_a_wholesaler_of_tables_with_discounts_as_shares(tmp_path: Path) -> None:
    zone, _ = of(exports.wholesaler, tmp_path)
    lines = zone["order_lines"]
    assert [row["customer_id"] for row in lines] == [f"CUST{s.customer:02d}" for s in LINES]
    expected = [(s.amount * (Decimal("0.75") if s.product == 1 else 1)).quantize(Decimal("0.0001")) for s in LINES]
    assert money(lines) == expected
    assert {row["product_id"]: row["category"] for row in zone["products"]} == {
        str(n): category for n, category in enumerate(CATEGORIES)
    }
    assert len(zone["companies"]) == len(zone["company_contacts"]) == 12
    assert {row["job_title"] for row in zone["company_contacts"]} == {"Sales Manager"}


def test_a_workbook_and_a_semicolon_file_in_cp1251_say_the_same(tmp_path: Path) -> None:
    import openpyxl

    rows = [(s.order, s.customer, PRODUCTS[s.product], s.at, s.quantity, float(s.amount)) for s in LINES]
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Order ID", "Customer ID", "Item", "Order Date", "Qty", "Amount"])
    for row in rows:
        sheet.append(row)
    (tmp_path / "a" / "export").mkdir(parents=True)
    book.save(tmp_path / "a" / "export" / "sales.xlsx")
    write(
        tmp_path / "b" / "export" / "продажи.csv",
        "Номер заказа,Клиент,Артикул,Дата,Количество,Сумма",
        [(o, c, f"Товар {p}", t.date(), q, f"{a:.2f}".replace(".", ",")) for o, c, p, t, q, a in rows],
        delimiter=";",
        encoding="cp1251",
    )
    workbook, _ = mapped(tmp_path / "a" / "export")
    russian, settings = mapped(tmp_path / "b" / "export")
    for table, written in ((workbook, ""), (russian, "decimal_comma")):
        lines = table["order_lines"]
        assert [row["order_id"] for row in lines] == [str(s.order) for s in LINES]
        assert [as_number(row["amount"], written) for row in lines] == [s.amount for s in LINES]
    assert russian["order_lines"][0]["product_id"].startswith("Товар ")
    assert settings["landing_formats"]["order_lines"]["numbers"] == "decimal_comma"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["2025-01-31", "2025-02-01 10:00:00"], ""),
        (["31/01/2025", "01/02/2025"], "DD/MM/YYYY"),
        (["01/31/2025 8:26", "2/1/2025 9:00"], "MM/DD/YYYY"),
        (["01/02/2025", "02/03/2025"], "?"),
        (["1.2.2025"], "DD.MM.YYYY"),
        (["1/31/25"], "MM/DD/YY"),
        (["31-12-2025"], "DD-MM-YYYY"),
        (["31-12-25 10:00"], "DD-MM-YY"),
        (["12-31-25"], "MM-DD-YY"),
        (["20250131", "20241201"], "YYYYMMDD"),
        (["45658", "45659.0"], "excel"),
        (["1735725600"], "epoch_seconds"),
        (["1735725600000"], "epoch_milliseconds"),
        ([], ""),
    ],
)
def test_what_dates_look_like_is_told_where_it_can_be_known(values: list[str], said: str) -> None:
    assert date_format(values) == said


@pytest.mark.parametrize("value", ["31/12/2025", "12/31/2025"])
@pytest.mark.parametrize("separator", ["/", ".", "-"])
@pytest.mark.parametrize("year", ["2025", "25"])
def test_whatever_is_proposed_for_dates_is_a_setting(value: str, separator: str, year: str) -> None:
    assert date_format([value.replace("2025", year).replace("/", separator)]) in DATES


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["1.50", "2"], ""),
        (["1,50", "2"], "decimal_comma"),
        (["1.488,69", "3"], "decimal_comma"),
        (["1,488.69", "3"], "decimal_point"),
        (["12"], ""),
    ],
)
def test_what_numbers_look_like(values: list[str], said: str) -> None:
    assert number_format(values) == said


def test_dates_that_could_be_either_are_asked_and_not_guessed(tmp_path: Path) -> None:
    write(
        tmp_path / "export" / "s.csv",
        "order_id,customer_id,product_id,date,qty,amount",
        [(1, 1, "a", "01/02/2025", 1, 1), (2, 1, "a", "03/04/2025", 1, 1)],
    )
    proposal = propose(read_exports(tmp_path / "export"), contract())
    assert proposal.settings == {}
    assert any("DD/MM/YYYY or MM/DD/YYYY (01/02/2025)" in question for question in proposal.questions)


def test_a_folder_without_order_lines_says_what_was_found(tmp_path: Path) -> None:
    write(tmp_path / "export" / "people.csv", "id,name,city", [(1, "a", "b")])
    with pytest.raises(LandingError, match=r"no file holds order lines.*people.csv: id, name, city"):
        propose(read_exports(tmp_path / "export"), contract())


# ---- a mapping that is edited -------------------------------------------------------------------------------------

BODY = {
    "from": ".",
    "tables": {
        "order_lines": [
            {
                "file": "s.csv",
                "columns": {
                    "order_id": "o",
                    "customer_id": "c",
                    "product_id": "p",
                    "ordered_at": "t",
                    "quantity": {"constant": "1"},
                    "amount": {"product": ["q", "u"]},
                },
            }
        ]
    },
}


def edited(tmp_path: Path, change: Callable[[dict], None] = lambda body: None) -> Path:
    write(
        tmp_path / "s.csv",
        "o,c,p,t,q,u",
        [(1, "k", "a", "2025-01-01", 2, "1.5"), (2, "k", "b", "2025-01-02", "x", "1")],
    )
    body = yaml.safe_load(yaml.safe_dump(BODY))
    change(body)
    path = tmp_path / "mapping.yml"
    path.write_text(yaml.safe_dump(body), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: b["tables"].update(order_line=[]), r"no table order_line \(did you mean order_lines\?\)"),
        (
            lambda b: b["tables"]["order_lines"][0]["columns"].update(orderid="o"),
            r"no column orderid \(did you mean order_id",
        ),
        (lambda b: b["tables"]["order_lines"][0]["columns"].pop("amount"), "order_lines: column amount is needed"),
        (lambda b: b["tables"]["order_lines"][0].update(file="gone.csv"), "no file gone.csv in .*; there are s.csv"),
        (
            lambda b: b["tables"]["order_lines"][0]["columns"].update(order_id="oo"),
            r"order_id: s.csv has no column oo \(did you mean o\?\); it has o, c.*Write the name",
        ),
        (
            lambda b: b["tables"]["order_lines"][0]["columns"].update(order_id={"sql": "1"}),
            "order_id: a column's name is",
        ),
        (lambda b: b["tables"]["order_lines"][0].update(fil_down={}), r"no fil_down \(did you mean fill_down\?\)"),
        (lambda b: b.update({"from": "nowhere"}), "from: .*nowhere is no folder"),
    ],
)
def test_what_a_mapping_says_wrongly_is_named(tmp_path: Path, change: Callable[[dict], None], said: str) -> None:
    path = edited(tmp_path, change)
    with pytest.raises(LandingError, match=said):
        apply_mapping(read_mapping(path, contract()), tmp_path / "mapped", contract())


@pytest.mark.parametrize("pattern", ["/data/export/s.csv", ""])
@pytest.mark.parametrize("of_a_join", [False, True])
def test_a_file_that_can_be_no_pattern_is_named(tmp_path: Path, pattern: str, of_a_join: bool) -> None:
    path = edited(tmp_path)
    mapping = read_mapping(path, contract())
    (entry,) = mapping.entries
    join = Join("other", pattern, "o", "o")
    entry = replace(entry, joins=(join,)) if of_a_join else replace(entry, file=pattern)
    said = f"MAPPING=mapping.yml, order_lines: file {pattern!r} is no name or pattern below {tmp_path}"
    with pytest.raises(LandingError, match=re.escape(said)):
        apply_mapping(replace(mapping, entries=(entry,)), tmp_path / "mapped", contract())


def test_a_name_that_looks_like_a_pattern_is_the_file_of_that_name(tmp_path: Path) -> None:
    rows = [(1, 1, "a", "2025-01-31", 1, 1)]
    write(tmp_path / "export" / "orders [1].csv", "order_id,customer_id,product_id,date,qty,amount", rows)
    zone, _ = mapped(tmp_path / "export")
    assert [row["order_id"] for row in zone["order_lines"]] == ["1"]


def test_two_columns_for_one_are_refused(tmp_path: Path) -> None:
    path = edited(tmp_path)
    path.write_text(path.read_text().replace("order_id: o\n", "order_id: o\n      order_id: c\n"))
    with pytest.raises(LandingError, match=r"line \d+: order_id is there twice"):
        read_mapping(path, contract())


def test_a_date_that_there_is_not_is_said(tmp_path: Path) -> None:
    path = edited(tmp_path, lambda body: body.update(settings={"as_of": "x"}))
    path.write_text(path.read_text().replace("as_of: x", "as_of: 2026-02-30"))
    with pytest.raises(LandingError, match="holds a date that there is not"):
        read_mapping(path, contract())


def test_a_column_that_is_there_twice_in_the_export_is_refused(tmp_path: Path) -> None:
    path = edited(tmp_path)
    write(tmp_path / "s.csv", "o,c,p,t,q,q,u", [(1, "k", "a", "2025-01-01", 2, 3, "1.5")])
    with pytest.raises(LandingError, match=r"s.csv has two columns q"):
        apply_mapping(read_mapping(path, contract()), tmp_path / "mapped", contract())


def test_what_cannot_be_multiplied_and_torn_rows_reach_quarantine_and_are_not_lost(tmp_path: Path) -> None:
    path = edited(tmp_path)
    with (tmp_path / "s.csv").open("a", encoding="utf-8") as file:
        file.write("3,k,a,2025-01-03,1\n4,k,a,2025-01-03,1,2,3,4\n5,k,a,2025-01-04,1,9\n")
    apply_mapping(read_mapping(path, contract()), tmp_path / "mapped", contract())
    with (tmp_path / "mapped" / "order_lines" / "s.csv.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    header, *landed = rows
    assert [row[header.index("amount")] for row in landed[:2]] == ["3", "x x 1"]
    assert [len(row) == len(header) for row in landed] == [True, True, False, False, True]


@pytest.mark.parametrize("with_lines", [True, False])
def test_a_torn_row_is_refused_once_and_an_id_that_spells_an_empty_cell_makes_no_master_row(
    tmp_path: Path, with_lines: bool
) -> None:
    def masters(body: dict) -> None:
        columns = {"product_id": "p", "product_name": "q"}
        body["tables"]["products"] = [{"file": "s.csv", "one_per": "product_id", "columns": columns}]
        columns = {"customer_id": "c", "country": "u"}
        # The same rows, whether the delimiter is written or found.
        customers = {"file": "*.csv", "delimiter": ",", "one_per": "customer_id", "columns": columns}
        body["tables"]["customers"] = [customers]
        if not with_lines:
            del body["tables"]["order_lines"]

    path = edited(tmp_path, masters)
    with (tmp_path / "s.csv").open("a", encoding="utf-8") as file:
        file.write("3,k,a,2025-01-03,nut, or bolt,1\n4,NULL,NaN,2025-01-03,1,2\n5,k,a,2025-01-03,nut, or bolt,1\n")
    apply_mapping(read_mapping(path, contract()), tmp_path / "mapped", contract())
    whole: dict[str, list[str]] = {}
    torn: Counter[str] = Counter()
    for written in (tmp_path / "mapped").glob("*/*.csv"):
        with written.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        whole[written.parent.name] = [row[0] for row in rows if len(row) == len(header)]
        torn[written.parent.name] += sum(len(row) != len(header) for row in rows)
    assert (whole["products"], whole["customers"]) == (["a", "b"], ["k"])
    # Where masters alone read the file, in the first of them.
    assert {table: count for table, count in torn.items() if count} == {"order_lines" if with_lines else "customers": 2}


def test_a_mapping_that_failed_half_way_leaves_nothing_of_it_once_it_is_taken_back(tmp_path: Path) -> None:
    def mapped_amounts() -> list[str]:
        apply_mapping(read_mapping(path, contract()), tmp_path / "mapped", contract())
        with (tmp_path / "mapped" / "order_lines" / "s.csv.csv").open(newline="") as file:
            return [row["amount"] for row in csv.DictReader(file)]

    path = edited(tmp_path)
    good = mapped_amounts()

    def change(body: dict) -> None:
        lines = body["tables"]["order_lines"]
        lines.append({**lines[0], "columns": {**lines[0]["columns"], "product_id": "pp"}})
        lines[0] = {**lines[0], "columns": {**lines[0]["columns"], "amount": "u"}}

    text = path.read_text()
    body = yaml.safe_load(text)
    change(body)
    path.write_text(yaml.safe_dump(body))
    with pytest.raises(LandingError, match="has no column pp"):
        mapped_amounts()
    path.write_text(text)
    assert mapped_amounts() == good


def test_an_export_is_read_again_only_when_it_or_the_mapping_changed(tmp_path: Path) -> None:
    path = edited(tmp_path)
    first = apply_mapping(read_mapping(path, contract()), tmp_path / "mapped", contract())
    assert first["order_lines"].rows == 2
    assert apply_mapping(read_mapping(path, contract()), tmp_path / "mapped", contract()) == {}
    write(tmp_path / "s.csv", "o,c,p,t,q,u", [(1, "k", "a", "2025-01-01", 2, "1.5")])
    again = apply_mapping(read_mapping(path, contract()), tmp_path / "mapped", contract())
    assert again["order_lines"].rows == 1
