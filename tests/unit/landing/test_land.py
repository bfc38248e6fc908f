"""One file at a time through landing: what text each value becomes, what is refused, what is read again."""

from __future__ import annotations

import ast
import csv
import errno
import io
import os
import re
import threading
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.landing import land as land_module
from orchestration.landing.contract import contract
from orchestration.landing.csv_files import is_well_quoted
from orchestration.landing.empties import EmptySpellings, read_empty_spellings
from orchestration.landing.errors import LandingError
from orchestration.landing.formats import SETTINGS, read_landing_formats
from orchestration.landing.land import BLANKS, LandingReport, Reading, find_files, land, zone_fingerprint
from orchestration.settings import PROJECT_DIR

PRODUCTS = {"products": contract()["products"]}
CUSTOMERS = {"customers": contract()["customers"]}
LINES = {"order_lines": contract()["order_lines"]}
HEADER = "order_id,customer_id,product_id,ordered_at,quantity,amount"


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    (tmp_path / "zone").mkdir()
    return tmp_path / "zone"


@pytest.fixture
def landed(tmp_path: Path) -> Path:
    return tmp_path / "landed"


def put(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def put_parquet(path: Path, query: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        con.sql(query).write_parquet(str(path))


def rows(landed: Path, table: str, columns: str) -> list[tuple]:
    with duckdb.connect() as con:
        files = [str(f) for f in (landed / table).glob("*.parquet")]
        return con.execute(
            f"select {columns} from read_parquet(?) order by source_file, source_row", [files]
        ).fetchall()


# ---- text -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_reads_quotes_line_ends_unicode_and_embedded_newlines(
    zone: Path, landed: Path, bom: bytes, end: str
) -> None:
    text = ["product_id,product_name", 'p1,"a ""b"", c"', "p2,Käse 日本", '"p3","line\nbreak"', "p4, padded "]
    put(zone / "products" / "a.csv", bom + end.join(text).encode())
    land(zone, landed, PRODUCTS)
    assert rows(landed, "products", "source_file, source_row, product_id, product_name") == [
        ("products/a.csv", 1, "p1", 'a "b", c'),
        ("products/a.csv", 2, "p2", "Käse 日本"),
        ("products/a.csv", 3, "p3", "line\nbreak"),
        ("products/a.csv", 4, "p4", " padded "),
    ]


@pytest.mark.parametrize("torn", ["", "torn\n"])
def test_a_file_is_read_or_refused_whatever_its_other_rows_are(zone: Path, landed: Path, torn: str) -> None:
    put(zone / "products" / "a.csv", f'product_id,product_name\np1,5" nail\np2,a"b"\n{torn}')
    land(zone, landed, PRODUCTS)
    assert rows(landed, "products", "product_name")[:2] == [('5" nail',), ('a"b"',)]
    for field in ['"x"y', '"x" ', '"a "b" c"']:
        put(zone / "products" / "a.csv", f"product_id,product_name\np1,{field}\n{torn}")
        with pytest.raises(LandingError, match="text follows one, in row 1"):
            land(zone, landed, PRODUCTS)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.sampled_from('a",\n\r'), max_size=12), bom=st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_quotes_are_in_place_where_the_strict_reader_of_the_standard_library_takes_them(
    tmp_path_factory: pytest.TempPathFactory, text: str, bom: bytes
) -> None:
    path = tmp_path_factory.mktemp("quotes") / "a.csv"
    path.write_bytes(bom + (text or "x").encode())
    try:
        list(csv.reader(io.StringIO(text, newline=""), strict=True))
        taken = True
    except csv.Error:
        taken = False
    assert is_well_quoted(path) == taken


@pytest.mark.parametrize(("last", "is_well"), [('"b"', True), ('"b" c', False), ('"b', False)])
def test_quotes_are_in_place_in_a_file_of_many(tmp_path: Path, last: str, is_well: bool) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,"b ""c""",d 12"\n' * 5_000 + f"a,{last}\n", encoding="utf-8")
    assert is_well_quoted(path) is is_well


def test_blanks_are_null_and_so_are_words_that_exports_write_for_nothing(zone: Path, landed: Path) -> None:
    put(zone / "products" / "a.csv", 'product_id,product_name,category,brand\np1,," ",""\np2,\u00a0,NULL,nulls\n')
    land(zone, landed, PRODUCTS)
    assert rows(landed, "products", "product_name, category, brand") == [(None, None, None), (None, None, "nulls")]


def test_rows_keep_their_numbers_in_a_file_larger_than_a_block(
    zone: Path, landed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.landing.csv_files.BYTES_AT_ONCE", 4096)
    count = 20_000
    put(
        zone / "products" / "a.csv",
        "product_id,product_name\n" + "".join(f'{i},"x\n{i}"\n' for i in range(1, count + 1)),
    )
    report = land(zone, landed, PRODUCTS)
    assert report.rows("products") == count
    with duckdb.connect() as con:
        wrong = con.execute(
            "select count(*) from read_parquet(?) where product_id <> cast(source_row as varchar)",
            [str(landed / "products" / "*.parquet")],
        ).fetchone()
    assert wrong == (0,)


# Without a lone carriage return, which Python's writer leaves unquoted.
FIELDS = st.text(st.sampled_from("ab é日,;\"\n\t'\\0#"), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(st.lists(FIELDS, min_size=1, max_size=4), max_size=6), end=st.sampled_from(["\n", "\r\n"]))
def test_csv_agrees_with_the_standard_library_row_by_row(
    tmp_path_factory: pytest.TempPathFactory, records: list[list[str]], end: str
) -> None:
    """Oracle: the records that were written, by Python's csv module; torn where they have not three fields."""
    base = tmp_path_factory.mktemp("oracle")
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end)
    writer.writerow(["product_id", "product_name", "category"])
    writer.writerows([["p", *record] for record in records])
    put(base / "zone" / "products" / "a.csv", out.getvalue())
    land(base / "zone", base / "landed", PRODUCTS)

    def kept(field: str) -> str | None:
        return field if field.strip(land_module.BLANKS) else None

    expected = [
        (i, "p", kept(r[0]), kept(r[1]), None)
        if len(r) == 2
        else (i, None, None, None, f"torn: {len(r) + 1} fields, the header has 3")
        for i, r in enumerate(records, start=1)
    ]
    columns = "source_row, product_id, product_name, category, landing_problem"
    assert rows(base / "landed", "products", columns) == expected


def test_an_unquoted_comma_before_an_empty_last_field_tears_the_row(zone: Path, landed: Path) -> None:
    """DuckDB's reader drops the empty field too many and shifts the others."""
    put(zone / "products" / "a.csv", "product_id,product_name,category\np1,Acme, Inc,\np2,x,\n")
    land(zone, landed, PRODUCTS)
    assert rows(landed, "products", "product_id, category, landing_problem") == [
        (None, None, "torn: 4 fields, the header has 3"),
        ("p2", None, None),
    ]


def test_torn_rows_of_different_content_have_different_digests(zone: Path, landed: Path) -> None:
    put(zone / "products" / "a.csv", "product_id,product_name\np1\np2\np1\n")
    land(zone, landed, PRODUCTS)
    first, second, third = [digest for (digest,) in rows(landed, "products", "personal_digest")]
    assert first == third != second


# ---- Parquet types --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("timestamp '2026-01-01 10:00:00.25'", "2026-01-01 10:00:00.25"),
        ("timestamptz '2026-01-01 10:00:00+02'", "2026-01-01 08:00:00+00:00"),
        ("date '2026-01-01'", "2026-01-01"),
        ("0.1::double + 0.2::double", "0.30000000000000004"),
        ("0.1::float", "0.1"),
        ("1.50::decimal(10, 2)", "1.50"),
        ("1.488::double", "1.4880"),
        ("'nan'::double", None),
        ("' 7 '", " 7 "),
        ("true", "true"),
    ],
)
def test_parquet_values_become_text_that_reads_back_the_same(
    zone: Path, landed: Path, value: str, text: str | None
) -> None:
    put_parquet(zone / "products" / "a.parquet", f"select 'p1' as product_id, {value} as list_price")
    land(zone, landed, PRODUCTS)
    assert rows(landed, "products", "list_price") == [(text,)]


@pytest.mark.parametrize(("value", "text"), [("1.082::double", "1.0820"), ("1.082::decimal(6, 3)", "1.0820")])
def test_a_rate_of_parquet_is_no_thousand(zone: Path, landed: Path, value: str, text: str) -> None:
    put_parquet(
        zone / "exchange_rates" / "a.parquet", f"select 'USD' as currency, '2026-01-01' as valid_from, {value} as rate"
    )
    land(zone, landed, {"exchange_rates": contract()["exchange_rates"]})
    assert rows(landed, "exchange_rates", "rate") == [(text,)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("900.0::double", "900"),
        ("900.5::double", "900.5"),
        ("'nan'::double", None),
        ("900.00::decimal(20, 2)", "900"),
        ("12345678901234567890::ubigint", "12345678901234567890"),
        ("'007'", "007"),
        ("'é'::blob", None),
    ],
)
def test_an_id_that_was_stored_as_a_number_is_a_whole_number_again(
    zone: Path, landed: Path, value: str, text: str | None
) -> None:
    if "blob" in value:
        value, text = "encode('é')", "é"
    put_parquet(zone / "products" / "a.parquet", f"select {value} as product_id")
    land(zone, landed, PRODUCTS)
    assert rows(landed, "products", "product_id") == [(text,)]


def test_parquet_rows_are_numbered_from_one_across_row_groups(zone: Path, landed: Path) -> None:
    (zone / "products").mkdir()
    with duckdb.connect() as con:
        target = zone / "products" / "a.parquet"
        con.execute(f"copy (select range + 1 as product_id from range(9000)) to '{target}' (row_group_size 2048)")
    land(zone, landed, PRODUCTS)
    assert all(str(row) == product for row, product in rows(landed, "products", "source_row, product_id"))


# ---- files and folders ----------------------------------------------------------------------------------------------


def test_formats_folders_and_column_sets_of_one_table_may_differ(zone: Path, landed: Path) -> None:
    put(zone / "products" / "loaded_on=2026-11-01" / "a.CSV", " Product_ID ,brand\np1,x\n")
    put_parquet(zone / "products" / "deep" / "er" / "b [1]*.parquet", "select 'p2' as product_id, 'c' as category")
    land(zone, landed, PRODUCTS)
    assert rows(landed, "products", "source_file, product_id, brand, category") == [
        ("products/deep/er/b [1]*.parquet", "p2", None, "c"),
        ("products/loaded_on=2026-11-01/a.CSV", "p1", "x", None),
    ]


def test_a_folder_key_is_no_column_and_a_warning_where_it_could_be_meant_as_one(zone: Path, landed: Path) -> None:
    put_parquet(zone / "products" / "loaded_on=x" / "brand=x" / "a.parquet", "select 'p1' as product_id")
    report = land(zone, landed, PRODUCTS)
    assert rows(landed, "products", "brand") == [(None,)]
    assert report.warnings == [
        "products: the folders brand=… are not read as the column brand; write it into the files"
    ]


def test_a_required_column_is_not_read_from_a_folder_name(zone: Path, landed: Path) -> None:
    put(zone / "products" / "product_id=p1" / "a.csv", "brand\nx\n")
    with pytest.raises(LandingError, match="the name of a folder is not read as a column"):
        land(zone, landed, PRODUCTS)


def test_a_table_without_files_lands_empty_with_all_its_columns(zone: Path, landed: Path) -> None:
    land(zone, landed, CUSTOMERS)
    assert rows(landed, "customers", "customer_id, kind, personal_digest") == []


def test_unfinished_and_foreign_files_are_left_alone_with_a_warning(zone: Path) -> None:
    put(zone / "products" / "_temporary" / "a.csv", "x")
    put(zone / "products" / "_SUCCESS", "")
    put(zone / "products" / ".a.csv.crc", "")
    put(zone / "products" / "a.csv.gz", "")
    put(zone / "Product" / "a.csv", "x")
    files, warnings = find_files(zone, PRODUCTS)
    assert files == {"products": []}
    assert warnings == [
        "Product: folder ignored, it is no table of the contract (did you mean products?); "
        "rename it to the table that it holds (docs/bring-your-own-data.md), or take it out of the landing zone",
        "products/_temporary: folder ignored, its name starts with _; rename it once it is complete",
        "products: 1 file ignored that is neither .parquet nor .csv; export them as one of these",
    ]


@pytest.mark.parametrize("folder", ["order_lines", "order_lines/loaded_on=2026-11-01"])
def test_a_folder_that_cannot_be_listed_stops_the_landing(
    zone: Path, landed: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    put(zone / "order_lines" / "a.csv", f"{HEADER}\no1,c1,p1,2026-11-01,1,9\n")
    put(zone / "order_lines" / "loaded_on=2026-11-01" / "b.csv", f"{HEADER}\no2,c1,p1,2026-11-01,1,9\n")
    scandir = os.scandir

    def denied(path: Path | str) -> Any:
        if Path(path) == zone.resolve() / folder:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(LandingError, match=f"^{folder}: folder cannot be read \\(Permission denied\\)$"):
        land(zone, landed, LINES)
    with pytest.raises(PermissionError):
        zone_fingerprint(zone)


def test_only_changed_files_are_read_again_and_removed_ones_disappear(zone: Path, landed: Path) -> None:
    for name in ("a", "b", "c"):
        put(zone / "products" / f"{name}.csv", f"product_id\n{name}\n")
    assert land(zone, landed, PRODUCTS).files_read == 3
    assert land(zone, landed, PRODUCTS).files_read == 0
    put(zone / "products" / "b.csv", "product_id\nB\n")
    (zone / "products" / "c.csv").unlink()
    assert land(zone, landed, PRODUCTS).files_read == 1
    assert rows(landed, "products", "product_id") == [("a",), ("B",)]


def test_another_landing_zone_with_the_same_file_names_is_read_anew(zone: Path, landed: Path, tmp_path: Path) -> None:
    put(zone / "products" / "a.csv", "product_id\nold\n")
    put(tmp_path / "other" / "products" / "a.csv", "product_id\nnew\n")
    land(zone, landed, PRODUCTS)
    land(tmp_path / "other", landed, PRODUCTS)
    assert rows(landed, "products", "product_id") == [("new",)]


def test_two_at_once_land_every_file_once(zone: Path, landed: Path) -> None:
    for i in range(20):
        put(zone / "products" / f"{i}.csv", f"product_id\n{i}\n")
    reports: list[LandingReport] = []
    threads = [threading.Thread(target=lambda: reports.append(land(zone, landed, PRODUCTS))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.files_read for report in reports) == [0, 20]
    assert len(rows(landed, "products", "product_id")) == 20


def test_extra_columns_are_named_in_a_warning_also_when_nothing_is_read_again(zone: Path, landed: Path) -> None:
    put(zone / "products" / "a.csv", "product_id,colour,\np1,red,\n")
    for _ in range(2):
        report = land(zone, landed, PRODUCTS)
        assert report.warnings == [
            "products: columns kept out, not in the contract: (no name), colour; "
            "nothing to do, unless one is a column of docs/bring-your-own-data.md by another name: rename it"
        ]


# ---- personal data --------------------------------------------------------------------------------------------------


def test_rows_that_differ_in_personal_data_differ_in_their_digest_alone(zone: Path, landed: Path) -> None:
    put(
        zone / "customers" / "a.csv",
        "customer_id,full_name,email,phone\nc1,Ada,,1\nc1,Ada,1,\nc1,Ada,,1\nc1,,,\n",
    )
    land(zone, landed, CUSTOMERS)
    first, shifted, same, empty = [digest for (digest,) in rows(landed, "customers", "personal_digest")]
    assert first == same != shifted
    assert empty is None


def test_no_personal_column_is_stored(zone: Path, landed: Path) -> None:
    put(zone / "customers" / "a.csv", "customer_id,full_name,email,phone\nc1,Ada,ada@example.org,1\n")
    land(zone, landed, CUSTOMERS)
    with duckdb.connect() as con:
        names = con.read_parquet(str(landed / "customers" / "*.parquet")).columns
    assert not {"full_name", "email", "phone"} & set(names)


# ---- errors ---------------------------------------------------------------------------------------------------------

SECRET = "ada@planted.example"


def _latin_1(zone: Path) -> None:
    put(zone / "order_lines" / "a.csv", f"{HEADER}\no1,{SECRET},Käse,2026-01-01,1,1\n".encode("latin-1"))


def _late_latin_1(zone: Path) -> None:
    good = f"o1,{SECRET},p,2026-01-01,1,1\n".encode() * 5_000
    put(
        zone / "order_lines" / "a.csv", f"{HEADER}\n".encode() + good + f"o2,{SECRET},Käse,2026,1,1\n".encode("latin-1")
    )


def _utf_16(zone: Path) -> None:
    put(zone / "order_lines" / "a.csv", f"{HEADER}\no1,{SECRET},p,2026,1,1\n".encode("utf-16"))


def _no_column(zone: Path) -> None:
    put(zone / "order_lines" / "a.csv", f"order_id,customer_id,product_id,ordered_at\no1,{SECRET},p,2026\n")


def _no_header(zone: Path) -> None:
    put(zone / "order_lines" / "a.csv", f"o1,{SECRET},p,2026-01-01,1,1\n")


def _semicolons(zone: Path) -> None:
    put(zone / "order_lines" / "a.csv", f"{HEADER}\no1,{SECRET},p,2026,1,1\n".replace(",", ";"))


def _twice(zone: Path) -> None:
    put(zone / "order_lines" / "a.csv", f"{HEADER},Amount\no1,{SECRET},p,2026,1,1,2\n")


def _open_quote(zone: Path) -> None:
    put(zone / "order_lines" / "a.csv", f'{HEADER}\no1,c,p,2026,1,1\no2,"{SECRET},p,2026,1,1\no3,c,p,2026,1,1\n')


def _text_after_a_quote(zone: Path) -> None:
    put(zone / "order_lines" / "a.csv", f'{HEADER}\no1,c,p,2026,1,1\no2,"a "{SECRET}" b",p,2026,1,1\n')


def _parquet_twice(zone: Path) -> None:
    names = [*HEADER.split(","), "Amount"]
    (zone / "order_lines").mkdir(parents=True)
    pq.write_table(pa.table([["1"]] * len(names), names), zone / "order_lines" / "a.parquet")


def _no_bytes(zone: Path) -> None:
    put(zone / "order_lines" / "a.csv", "")


def _no_parquet(zone: Path) -> None:
    put(zone / "order_lines" / "a.parquet", f"PAR1{SECRET}PAR1")


def _cut_parquet(zone: Path) -> None:
    path = zone / "order_lines" / "a.parquet"
    put_parquet(path, f"select '{SECRET}' as order_id, '1' as customer_id, range as product_id from range(99999)")
    path.write_bytes(path.read_bytes()[:-200])


def _parquet_without_column(zone: Path) -> None:
    put_parquet(zone / "order_lines" / "a.parquet", f"select '{SECRET}' as order_id")


def _header_only(zone: Path) -> None:
    put(zone / "order_lines" / "a.csv", f"{HEADER}\n")


def _nothing(zone: Path) -> None:
    pass


def _many_without_rows(zone: Path) -> None:
    for i in range(7):
        put(zone / "order_lines" / f"{i}.csv", f"{HEADER}\n")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_latin_1, "order_lines/a.csv: not UTF-8, near row 1"),
        (_late_latin_1, "order_lines/a.csv: not UTF-8, near row"),
        (_utf_16, "order_lines/a.csv: not UTF-8, near row 1"),
        (_no_column, "order_lines/a.csv: required column quantity, amount is missing"),
        (
            _no_header,
            "order_lines/a.csv: required column order_id, customer_id, product_id, ordered_at, quantity, amount is",
        ),
        (_semicolons, "is missing (fields must be separated by commas)"),
        (_twice, "order_lines/a.csv: column amount is there twice"),
        (_open_quote, "order_lines/a.csv: a quote is not closed, or text follows one, in row 2"),
        (_text_after_a_quote, "order_lines/a.csv: a quote is not closed, or text follows one, in row 2"),
        (_no_bytes, "order_lines/a.csv: empty, without a header"),
        (_no_parquet, "order_lines/a.parquet: cannot be read as Parquet"),
        (_parquet_twice, "order_lines/a.parquet: column amount is there twice"),
        (_cut_parquet, "order_lines/a.parquet: cannot be read as Parquet"),
        (
            _parquet_without_column,
            "order_lines/a.parquet: required column customer_id, product_id, ordered_at, quantity, a",
        ),
        (_header_only, "order_lines: no rows in order_lines/a.csv; it is the one table that must be there"),
        (_many_without_rows, "order_lines: no rows in order_lines/0.csv, order_lines/1.csv, "),
        (_many_without_rows, ", order_lines/4.csv and 2 more; it is the one table that must be there"),
        (_nothing, "order_lines: no .parquet or .csv file in the landing zone; it is the one table that must be there"),
    ],
)
def test_a_landing_zone_that_cannot_be_used_is_refused_by_file_and_column_without_its_values(
    zone: Path, landed: Path, make: Callable[[Path], None], message: str
) -> None:
    make(zone)
    with pytest.raises(LandingError) as caught:
        land(zone, landed, LINES)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    chain: BaseException | None = caught.value
    while chain is not None:
        assert SECRET not in str(chain)
        chain = None if chain.__suppress_context__ else chain.__context__


def test_every_unreadable_file_is_named_at_once(zone: Path, landed: Path) -> None:
    for i in range(7):
        put(zone / "order_lines" / f"{i}.csv", "order_id\n")
    with pytest.raises(LandingError) as caught:
        land(zone, landed, LINES)
    assert all(f"order_lines/{i}.csv" in str(caught.value) for i in range(5))
    assert str(caught.value).endswith("and 2 more files")


def test_a_repaired_file_is_read_after_an_error(zone: Path, landed: Path) -> None:
    put(zone / "products" / "a.csv", "colour\n")
    put(zone / "products" / "b.csv", "product_id\nb\n")
    with pytest.raises(LandingError):
        land(zone, landed, PRODUCTS)
    put(zone / "products" / "a.csv", "product_id\na\n")
    assert land(zone, landed, PRODUCTS).files_read == 1
    assert rows(landed, "products", "product_id") == [("a",), ("b",)]


def test_the_slow_reader_lands_what_the_fast_one_does(
    zone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(zone / "products" / "a.csv", 'product_id,product_name\np1,"a ""b""\nc"\n\np2,\n')
    land(zone, tmp_path / "fast", PRODUCTS)

    def refuse(*_: object) -> pa.RecordBatchReader:
        raise pa.ArrowInvalid("refused")

    monkeypatch.setattr(land_module, "fast_rows", refuse)
    land(zone, tmp_path / "slow", PRODUCTS)
    columns = "source_row, product_id, product_name, landing_problem, personal_digest"
    fast = rows(tmp_path / "fast", "products", columns)
    assert fast == rows(tmp_path / "slow", "products", columns)
    assert len(fast) == 2


def test_landing_alone_is_a_command_that_names_what_it_landed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from orchestration.landing.commands import main

    (tmp_path / "zone" / "order_lines").mkdir(parents=True)
    monkeypatch.setenv("LANDING_DIR", str(tmp_path / "zone"))
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    assert main() == 1
    assert "order_lines" in capsys.readouterr().err
    (tmp_path / "zone" / "order_lines" / "a.csv").write_text(
        "order_id,customer_id,product_id,ordered_at,quantity,amount\no1,c1,p1,2026-01-01,1,2\n"
    )
    assert main() == 0
    assert "order_lines: 1 rows" in capsys.readouterr().out


# ---- empty cells, Unicode, dates ------------------------------------------------------------------------------------


def reading(*rows: tuple[str, str, str, bool], formats: object = None) -> Reading:
    return Reading(EmptySpellings(rows), read_landing_formats(formats, contract()))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(
        st.sampled_from(read_empty_spellings().of("products", "brand"))
        | st.text(st.sampled_from("NULnal-#/A0 9é"), max_size=6),
        min_size=1,
        max_size=12,
    ),
    blanks=st.sampled_from(["", " ", "\t", "   \u00a0", "            "]),
)
def test_a_value_is_null_exactly_where_it_is_blank_or_a_spelling_of_the_seed(
    values: list[str], blanks: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("empties")
    cells = [blanks + value + blanks for value in values]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [("product_id", "brand"), *((f"p{i}", c) for i, c in enumerate(cells))]
    )
    put(base / "csv" / "products" / "a.csv", text.getvalue())
    (base / "parquet" / "products").mkdir(parents=True)
    table = pa.table({"product_id": [f"p{i}" for i in range(len(cells))], "brand": cells})
    pq.write_table(table, base / "parquet" / "products" / "a.parquet")
    spelled = set(read_empty_spellings().of("products", "brand"))
    expected = [(None if c.strip(BLANKS) in ("", *spelled) else unicodedata.normalize("NFC", c),) for c in cells]
    for kind in ("csv", "parquet"):
        land(base / kind, base / f"{kind}-landed", PRODUCTS)
        assert rows(base / f"{kind}-landed", "products", "brand") == expected


def test_an_exception_keeps_a_product_that_is_called_nan(zone: Path, landed: Path) -> None:
    put(zone / "products" / "a.csv", "product_id,product_name,brand\nNaN,NaN,NaN\np2,NULL,0\n")
    rules = reading(
        ("NaN", "", "", True),
        ("NULL", "", "", True),
        ("0", "products", "", True),
        ("NaN", "products", "product_name", False),
    )
    land(zone, landed, PRODUCTS, rules)
    assert rows(landed, "products", "product_id, product_name, brand") == [(None, "NaN", None), ("p2", None, None)]


def test_an_edit_of_the_seed_or_of_a_format_reads_all_files_again(zone: Path, landed: Path) -> None:
    put(zone / "products" / "a.csv", "product_id,brand\np1,n.d.\n")
    assert land(zone, landed, PRODUCTS, reading()).files_read == 1
    assert land(zone, landed, PRODUCTS, reading()).files_read == 0
    assert land(zone, landed, PRODUCTS, reading(("n.d.", "", "", True))).files_read == 1
    assert rows(landed, "products", "brand") == [(None,)]
    formats = {"customers": {"dates": "excel"}}
    assert land(zone, landed, PRODUCTS, reading(("n.d.", "", "", True), formats=formats)).files_read == 1


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_both_unicode_forms_are_one_spelling(zone: Path, landed: Path, ending: str) -> None:
    names = [unicodedata.normalize(form, "Café") for form in ("NFC", "NFD")]
    if ending == "csv":
        put(zone / "products" / "a.csv", f"product_id,product_name\np1,{names[0]}\np2,{names[1]}\n")
    else:
        put_parquet(
            zone / "products" / "a.parquet",
            f"select 'p1' as product_id, '{names[0]}' as product_name union all select 'p2', '{names[1]}'",
        )
    land(zone, landed, PRODUCTS)
    assert rows(landed, "products", "product_name") == [(names[0],), (names[0],)]


def put_lines(zone: Path, *moments: str) -> None:
    lines = "".join(f'{i},c,p,"{moment}",1,1\n' for i, moment in enumerate(moments))
    put(zone / "order_lines" / "a.csv", "order_id,customer_id,product_id,ordered_at,quantity,amount\n" + lines)


@pytest.mark.parametrize(
    ("written", "midnights", "days"),
    [
        (
            None,
            ["2025-01-01 00:00:00", "2025-01-02T00:00:00Z", "2025-01-03"],
            ["2025-01-01", "2025-01-02", "2025-01-03"],
        ),
        (None, ["2025-01-01T00:00:00.000+02:00", "2025-01-02 00:00 UTC"], ["2025-01-01", "2025-01-02"]),
        (None, ["2025-01-01 12:00:00 AM", "soon"], ["2025-01-01", "soon"]),
        (None, ["2025-01-01 00:00:00\u00a0", "2025-01-02 00:00\ufeff"], ["2025-01-01", "2025-01-02"]),
        ("DD/MM/YYYY", ["01/02/2025 00:00:00", "1/2/2025 0:00"], ["01/02/2025", "1/2/2025"]),
        ("YYYYMMDD", ["20250101000000", "20250102T0000Z", "20250103 00:00"], ["20250101", "20250102", "20250103"]),
        ("epoch_seconds", ["1735689600", "1735776000.0"], ["2025-01-01", "2025-01-02"]),
        ("epoch_milliseconds", ["1735689600000"], ["2025-01-01"]),
    ],
)
def test_midnight_throughout_a_file_is_a_date_and_with_one_other_time_it_is_a_time(
    zone: Path, landed: Path, written: str | None, midnights: list[str], days: list[str]
) -> None:
    rules = reading(formats={"order_lines": {"dates": written}} if written else None)
    put_lines(zone, *midnights)
    land(zone, landed, LINES, rules)
    assert rows(landed, "order_lines", "ordered_at") == [(day,) for day in days]
    another = {"epoch_seconds": "1735689601", "epoch_milliseconds": "1735689600001", "YYYYMMDD": "20250101T1030"}
    midnights = [*midnights, another.get(written or "", "2025-01-01 00:00:01")]
    put_lines(zone, *midnights)
    land(zone, landed, LINES, rules)
    assert rows(landed, "order_lines", "ordered_at") == [(moment,) for moment in midnights]


def test_parquet_days_and_midnights_land_as_dates_and_other_moments_do_not(zone: Path, landed: Path) -> None:
    line = "'1' as order_id, 'c' as customer_id, 'p' as product_id, 1 as quantity, 1 as amount"
    for name, moment in {
        "1": "date '2025-01-01'", "2": "timestamp '2025-01-01 00:00:00'", "3": "timestamptz '2025-01-01 00:00:00+00'",
        "4": "timestamp '2025-01-01 00:00:01'",
    }.items():  # fmt: skip
        put_parquet(zone / "order_lines" / f"{name}.parquet", f"select {line}, {moment} as ordered_at")
    land(zone, landed, LINES)
    assert rows(landed, "order_lines", "ordered_at") == [("2025-01-01",)] * 3 + [("2025-01-01 00:00:01",)]


@pytest.mark.parametrize(
    ("moments", "landed_as"),
    [
        # pandas' tz_localize("America/New_York") of dates, in winter and in summer.
        (["2025-01-01 05:00:00+00", "2025-07-01 04:00:00+00"], ["2025-01-01", "2025-07-01"]),
        (["2025-01-01 05:00:00+00", None], ["2025-01-01", None]),
        (
            ["2025-01-01 05:00:00+00", "2025-01-02 05:00:01+00"],
            ["2025-01-01 05:00:00+00:00", "2025-01-02 05:00:01+00:00"],
        ),
        (["2025-01-01 00:00:00+00", "2025-07-01 00:00:00+00"], ["2025-01-01", "2025-07-01"]),
    ],
)
def test_parquet_moments_that_are_all_midnight_in_the_stores_land_as_their_days(
    zone: Path, landed: Path, moments: list[str | None], landed_as: list[str | None]
) -> None:
    line = "'1' as order_id, 'c' as customer_id, 'p' as product_id, 1 as quantity, 1 as amount"
    values = ", ".join("null" if moment is None else f"'{moment}'" for moment in moments)
    put_parquet(
        zone / "order_lines" / "1.parquet",
        f"select {line}, cast(moment as timestamptz) as ordered_at from (select unnest([{values}]) as moment)",
    )
    land(zone, landed, LINES, Reading(store_timezone="America/New_York"))
    assert rows(landed, "order_lines", "ordered_at") == [(text,) for text in landed_as]
    assert land(zone, landed, LINES, Reading(store_timezone="America/New_York")).files_read == 0
    assert land(zone, landed, LINES, Reading(store_timezone="Europe/Vienna")).files_read == 1


# ---- settings that are not known ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formats", "words"),
    [
        ({"orders": {}}, ["landing_formats: orders", "order_lines"]),
        ({"order_lines": {"date": "ISO"}}, ["landing_formats.order_lines.date", "dates, numbers, ids"]),
        (
            {"order_lines": {"dates": "DMY"}},
            ["landing_formats.order_lines.dates", "'DMY'", "DD/MM/YYYY", "epoch_seconds"],
        ),
        ({"order_lines": {"numbers": {"amounts": "plain"}}}, ["amounts", "amount", "quantity"]),
        ({"order_lines": {"ids": "lower"}}, ["must name columns"]),
        (
            {"order_lines": {"ids": {"customer_id": ["lower", "trim"]}}},
            ["ids.customer_id", "'trim'", "without_decimals"],
        ),
        ({"customers": {"ids": {"email": "lower"}}}, ["email"]),
        ("DD/MM/YYYY", ["landing_formats", "must be a mapping"]),
    ],
)
def test_a_format_that_is_not_known_is_refused_with_those_that_are(formats: object, words: list[str]) -> None:
    with pytest.raises(LandingError) as refused:
        read_landing_formats(formats, contract())
    assert [word for word in words if word not in str(refused.value)] == []


def test_sql_and_python_know_the_same_formats() -> None:
    text = (PROJECT_DIR / "macros" / "engine" / "landing_formats.sql").read_text(encoding="utf-8")
    listed = re.search(r"macro landing_settings\(\) %\}\s*\{\{- return\((.*?)\) -\}\}", text, re.DOTALL)
    assert listed is not None
    assert ast.literal_eval(listed[1].strip()) == {name: list(values) for name, (values, _) in SETTINGS.items()}
