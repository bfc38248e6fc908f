"""Which rows are staged, by compiled SQL over generated rows, against pandas: equal lines in whatever files,
order and number of times sent, of whichever id of a customer; and which of rival rows of a master table is taken."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.landing_zones import StagingRun, run_staging, write

# order_id, product_id, line_number, amount; as they land
Line = tuple[str, str, str | None, str]
LINES = st.tuples(
    st.sampled_from(["o1", "o2"]), st.sampled_from(["p1", "p2"]), st.sampled_from([None, None, "1", "x"]),
    st.sampled_from(["1", "1.0", "2", "abc"]),
)  # fmt: skip
FILES = st.lists(st.lists(LINES, max_size=7), min_size=1, max_size=4)
HEADER = "order_id,customer_id,product_id,ordered_at,quantity,amount"
# Customers with several ids: the later row is an alias's; none says when, and one is the customer's own; two aliases.
PROFILES = """customer_id,region,updated_at
1001.0,North,2026-02-01
2002.0,South,2024-01-01
3003.0,East,
4004.0,West,
5.0,North,2024-01-01
6.0,South,2026-01-01
8.0,Alone,2020-01-01
"""
ALIASES = "alias_id,customer_id\n1001,2002\n3003,4004\n5,7\n6,7\ntill,0\nold,till\n"
# Ids of one customer, and of one guest; the last of each is the end of their chains.
IDS = (("1001", "2002"), ("5", "6", "7"), ("old", "till", "0"))
WITHOUT_DECIMALS = {"customers": {"ids": {"customer_id": "without_decimals"}}}
TWO_SCANS = f"{HEADER}\no1,c1,p1,2025-03-01 10:00:00,1,2.50\no1,c1,p1,2025-03-01 10:00:00,1,2.50\n"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dispositions")
    for name in ("till.csv", "till sent again.csv"):
        write(folder / "zone" / "order_lines" / name, TWO_SCANS)
    write(folder / "zone" / "products" / "p.csv", "product_id\np1\n")
    write(folder / "zone" / "customers" / "crm.csv", PROFILES)
    write(folder / "zone" / "customer_aliases" / "merged.csv", ALIASES)
    write(
        folder / "zone" / "company_contacts" / "crm.csv",
        "person_id,company_id,job_title\n5,c,CFO\n7,c,Head of Finance\n",
    )
    return folder


@pytest.fixture(scope="module")
def kept(scratch: Path) -> StagingRun:
    run = run_staging(scratch / "keep" / "warehouse", scratch / "zone")
    assert run.returncode == 0, run.output
    return run


@pytest.fixture(scope="module")
def counted_once(scratch: Path) -> StagingRun:
    variables = {"equal_lines": "one", "landing_formats": WITHOUT_DECIMALS}
    run = run_staging(scratch / "one" / "warehouse", scratch / "zone", variables=variables)
    assert run.returncode == 0, run.output
    return run


LINE_ACCOUNT = """
    select rows_landed, rows_staged, rows_quarantined, rows_duplicate, equal_lines, equal_lines_amount
    from row_account where source_table = 'order_lines'
"""


def test_two_equal_lines_of_a_file_are_two_and_the_file_sent_again_adds_nothing(kept: StagingRun) -> None:
    assert kept.query("select count(*), sum(amount) from stg_order_lines") == [(2, 5)]
    assert kept.query(LINE_ACCOUNT) == [(4, 2, 0, 2, 1, 2.5)]


def test_equal_lines_are_counted_once_where_the_setting_says_so(counted_once: StagingRun) -> None:
    assert counted_once.query("select count(*), sum(amount) from stg_order_lines") == [(1, 2.5)]
    assert counted_once.query(LINE_ACCOUNT) == [(4, 1, 0, 3, 1, 2.5)]


def test_of_the_profiles_of_one_customer_the_latest_is_taken_whatever_its_id(counted_once: StagingRun) -> None:
    assert counted_once.query("select customer_id, region from stg_customers order by 1") == [
        ("2002", "North"),
        ("4004", "West"),
        ("7", "South"),
        ("8", "Alone"),
    ]
    assert counted_once.query("select person_id, job_title from stg_company_contacts") == [("7", "Head of Finance")]
    superseded = "select reasons, row_number, superseded_by from quarantine where file like 'customers/%' order by 2"
    reasons = "superseded: another row of the same customer is taken, by customer_aliases"
    assert counted_once.query(superseded) == [
        (reasons, 2, "customers/crm.csv, row 1"),
        (reasons, 3, "customers/crm.csv, row 4"),
        (reasons, 5, "customers/crm.csv, row 6"),
    ]


class Compiled:
    """Staging's SQL as dbt compiled it, over tables in memory."""

    def __init__(self, run: StagingRun) -> None:
        self.folder = run.warehouse.parent / "dbt-target/compiled/segments_in_use/models/staging"
        self.con = duckdb.connect()
        self.con.execute("attach ':memory:' as warehouse")
        self.con.execute("use warehouse")
        for path in (path for path in run.warehouse.glob("landed/*") if any(path.glob("*.parquet"))):
            self.con.execute(f"create table landed_{path.name} as from '{path}/*.parquet' limit 0")
        # What lines are joined with: aliases, currencies, states of orders.
        self.con.execute(f"attach '{run.warehouse}/build/warehouse.duckdb' as built (read_only)")
        tables = self.con.execute("select table_name from duckdb_tables() where database_name = 'built'").fetchall()
        for (name,) in tables:
            self.con.execute(f'create table "{name}" as from built.main."{name}"')
        self.con.execute("detach built")
        self.con.execute("drop table if exists landed_order_files")
        self.con.execute("create table landed_order_files (source_file varchar, made_from bigint)")

    def land(self, table: str, rows: list[dict[str, Any]]) -> None:
        """The rows in the place of those that are there; columns that they lack are null."""
        self.con.execute(f"delete from landed_{table}")
        if rows:
            frame = pd.DataFrame(rows).astype(object)
            frame = frame.where(frame.notna(), None)
            self.con.register("rows_to_land", frame)
            self.con.execute(f"insert into landed_{table} by name select * from rows_to_land")
            self.con.unregister("rows_to_land")

    def build(self, *models: str) -> None:
        for model in models:
            sql = (self.folder / f"{model}.sql").read_text(encoding="utf-8")
            sql = re.sub(r"'[^']*/landed/(\w+)/\*\.parquet'", r"landed_\1", sql)
            self.con.execute(f"create or replace table {model} as {sql}")

    def stage(self, files: list[list[Line]], an_id: Callable[[], str] = lambda: "c1") -> pd.DataFrame:
        """stg_order_lines of those files, each line of `an_id`, and the account: landed = staged + refused."""
        self.con.execute("delete from landed_order_files")
        for number in range(len(files)):
            self.con.execute("insert into landed_order_files values (?, 1)", [f"f{number}.csv"])
        self.land("order_lines", [row for n, lines in enumerate(files) for row in landed(f"f{n}.csv", lines, an_id)])
        self.build("base_order_lines", "doubtful_order_lines", "refused_rows", "stg_order_lines")
        staged = self.con.sql(
            "select order_id, product_id, line_number, amount::double as amount, customer_id from stg_order_lines"
        ).df()
        (refused,) = self.con.execute(
            "select count(*) from refused_rows where source_table = 'order_lines'"
        ).fetchone() or (0,)
        assert sum(map(len, files)) == len(staged) + refused
        return staged


def landed(file: str, lines: list[Line], an_id: Callable[[], str]) -> list[dict[str, Any]]:
    names = ("order_id", "product_id", "line_number", "amount")
    fixed = {"ordered_at": "2025-03-01 10:00:00", "quantity": "1", "source_file": file}
    return [
        {**fixed, **dict(zip(names, line, strict=True)), "customer_id": an_id(), "source_row": n}
        for n, line in enumerate(lines, start=1)
    ]


@pytest.fixture(scope="module")
def compiled(kept: StagingRun) -> Iterator[Compiled]:
    project = Compiled(kept)
    yield project
    project.con.close()


@pytest.fixture(scope="module")
def compiled_once(counted_once: StagingRun) -> Iterator[Compiled]:
    project = Compiled(counted_once)
    yield project
    project.con.close()


def expected(files: list[list[Line]], equal_lines: str = "keep") -> list[tuple[Any, ...]]:
    """Lines with a number once, or not at all where their key says two things; of those without one, as many as
    the file with most of them has. A line number that cannot be read is none, and tells lines apart."""
    rows = [(file, *line) for file, lines in enumerate(files) for line in lines]
    frame = pd.DataFrame(rows, columns=["file", "order_id", "product_id", "landed_number", "landed_amount"])
    frame["amount"] = pd.to_numeric(frame.landed_amount, errors="coerce")
    frame["line_number"] = pd.to_numeric(frame.landed_number, errors="coerce")
    content = ["order_id", "product_id", "landed_number", "amount"]
    numbered = frame[frame.line_number.notna()]
    # A refused row makes its key doubtful too, so amounts that cannot be read count as contents.
    contents = numbered.assign(amount=numbered.amount.fillna(-1)).drop_duplicates(content)
    contents = contents[~contents.duplicated(["order_id", "line_number"], keep=False) & (contents.amount != -1)]
    bare = frame[frame.line_number.isna() & frame.amount.notna()]
    counts = bare.groupby(["file", *content], dropna=False).size().groupby(level=content, dropna=False).max()
    found = [(row.order_id, row.product_id, 1.0, row.amount) for row in contents.itertuples()]
    for (order_id, product_id, _, amount), copies in counts.items():
        found += [(order_id, product_id, None, amount)] * (copies if equal_lines == "keep" else 1)
    return sorted(found, key=repr)


def rows_of(staged: pd.DataFrame) -> list[tuple[Any, ...]]:
    return sorted(
        (
            (r.order_id, r.product_id, None if pd.isna(r.line_number) else float(r.line_number), r.amount)
            for r in staged.itertuples()
        ),
        key=repr,
    )


@settings(max_examples=25, deadline=None)
@given(files=FILES)
def test_staged_lines_are_those_of_pandas(compiled: Compiled, files: list[list[Line]]) -> None:
    assert rows_of(compiled.stage(files)) == expected(files)


@settings(max_examples=15, deadline=None)
@given(files=FILES)
def test_lines_counted_once_are_those_of_pandas(compiled_once: Compiled, files: list[list[Line]]) -> None:
    assert rows_of(compiled_once.stage(files)) == expected(files, "one")


@settings(max_examples=15, deadline=None)
@given(files=FILES, seed=st.integers(0, 99))
def test_files_sent_again_whole_or_in_part_in_any_order_change_nothing(
    compiled: Compiled, files: list[list[Line]], seed: int
) -> None:
    """Also under names that sort before the first ones, and with their rows in another order."""
    chance = random.Random(seed)
    first = rows_of(compiled.stage(files))
    again = [chance.sample(lines, chance.randint(0, len(lines))) for lines in chance.choices(files, k=2)]
    other = [chance.sample(lines, len(lines)) for lines in [*files, *again]]
    chance.shuffle(other)
    assert rows_of(compiled.stage(other)) == first


@settings(max_examples=25, deadline=None)
@given(files=FILES, ids=st.sampled_from(IDS), seed=st.integers(0, 99))
def test_lines_of_several_ids_of_a_customer_are_those_of_one(
    compiled: Compiled, files: list[list[Line]], ids: tuple[str, ...], seed: int
) -> None:
    """A guest who opened an account between two exports, and an alias of an alias of a guest."""
    chance = random.Random(seed)
    staged = compiled.stage(files, lambda: chance.choice(ids))
    assert rows_of(staged) == expected(files)
    assert set(staged["customer_id"].dropna()) <= ({ids[-1]} if ids[-1] != "0" else set())


def test_quarantine_shows_the_id_that_was_landed(compiled: Compiled) -> None:
    ids = iter(("1001", "2002"))
    compiled.stage([[("o1", "p1", "1", "1")], [("o1", "p1", "1", "2")]], lambda: next(ids))
    found = compiled.con.sql("""
        select source_file, disposition, json_extract_string(raw, '$.customer_id') from refused_rows
        where source_table = 'order_lines' order by 1""").fetchall()
    assert found == [("f0.csv", "quarantined", "1001"), ("f1.csv", "quarantined", "2002")]


# Rows of a table of two ids of a customer, 1001 and 2002, each with the file that it is in; then how many are staged
# and what became of the others.
OTHER_ROWS: list[tuple[str, dict[str, str], list[dict[str, str]], int, dict[str, int]]] = [
    (
        "touchpoints",
        {"touchpoint_id": "t", "touched_at": "2025-03-01", "channel": "email"},
        [{"customer_id": "1001"}, {"customer_id": "2002"}],
        1,
        {"duplicate": 1},
    ),
    (
        "touchpoints",
        {"touchpoint_id": "t", "touched_at": "2025-03-01"},
        [{"customer_id": "1001", "channel": "email"}, {"customer_id": "2002", "channel": "sms"}],
        0,
        {"quarantined": 2},
    ),
    (
        "responses",
        {"response_id": "r", "responded_at": "2025-03-01", "kind": "open"},
        [{"customer_id": "2002"}, {"customer_id": "1001"}, {"customer_id": "1001"}],
        1,
        {"duplicate": 2},
    ),
    (
        "consents",
        {"channel": "email", "recorded_at": "2025-03-01", "opted_in": "yes"},
        [{"customer_id": "1001"}, {"customer_id": "2002"}, {"customer_id": "8"}],
        2,
        {"duplicate": 1},
    ),
    # Each id said something of its own: both are staged, and the one that denies decides (contact_permissions).
    (
        "consents",
        {"channel": "email", "recorded_at": "2025-03-01"},
        [{"customer_id": "1001", "opted_in": "yes"}, {"customer_id": "2002", "opted_in": "no"}],
        2,
        {},
    ),
    # One id contradicts itself; what the other one says holds, also where an equal row is refused.
    (
        "consents",
        {"channel": "email", "recorded_at": "2025-03-01"},
        [
            {"customer_id": "1001", "opted_in": "yes"},
            {"customer_id": "1001", "opted_in": "no"},
            {"customer_id": "2002", "opted_in": "no"},
        ],
        1,
        {"quarantined": 2},
    ),
    (
        "assignments",
        {"treatment_id": "t", "assigned_on": "2025-03-01", "arm": "holdout"},
        [{"customer_id": "1001"}, {"customer_id": "2002"}],
        1,
        {"duplicate": 1},
    ),
]


@pytest.mark.parametrize("is_backwards", [False, True])
@pytest.mark.parametrize(("table", "fixed", "rows", "staged", "refused"), OTHER_ROWS)
def test_rows_of_two_ids_of_a_customer_are_copies_where_they_say_the_same(
    compiled: Compiled,
    table: str,
    fixed: dict[str, str],
    rows: list[dict[str, str]],
    staged: int,
    refused: dict[str, int],
    is_backwards: bool,
) -> None:
    ordered = rows[::-1] if is_backwards else rows
    compiled.land(
        table, [{**fixed, **row, "source_file": f"f{n}.csv", "source_row": 1} for n, row in enumerate(ordered)]
    )
    compiled.build("refused_rows", f"stg_{table}")
    found = compiled.con.sql(
        f"select disposition, count(*) from refused_rows where source_table = '{table}' group by 1"
    ).fetchall()
    customers = {id for (id,) in compiled.con.sql(f"select customer_id from stg_{table}").fetchall()}
    counted = compiled.con.sql(f"select count(*) from stg_{table}").fetchall()
    compiled.land(table, [])
    assert dict(found) == refused
    assert counted == [(staged,)]
    assert "1001" not in customers


@pytest.mark.parametrize("digests", [("a", "b"), ("b", "a")])
def test_of_rows_that_differ_in_personal_data_alone_the_first_of_the_files_is_taken_whatever_their_digests(
    compiled: Compiled, digests: tuple[str, str]
) -> None:
    customer = {"customer_id": "c", "region": "North"}
    compiled.land(
        "customers",
        [
            {**customer, "source_file": f"f{n}", "source_row": n, "personal_digest": digest}
            for n, digest in enumerate(digests)
        ],
    )
    compiled.build("refused_rows")
    found = compiled.con.sql(
        "select source_file, superseded_by from refused_rows where source_table = 'customers'"
    ).fetchall()
    compiled.land("customers", [])
    assert found == [("f1", "f0, row 0")]


# product_name, category, list_price, updated_at, times
Product = tuple[str | None, str | None, str | None, str | None, int]
PRODUCTS = st.lists(
    st.tuples(
        st.sampled_from([None, "Tea", "tea", "Ätna"]),
        st.sampled_from([None, "hot", "cold"]),
        st.sampled_from([None, "2", "10", "$9"]),
        st.sampled_from([None, None, "2025-01-01", "2025-02-01", "soon"]),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=5,
)


def taken(products: list[Product]) -> tuple[Any, ...]:
    """By plain Python: the latest, else the most often sent, else the first by name, category and price, none last."""
    times: dict[tuple[Any, ...], int] = {}
    for *content, count in products:
        times[tuple(content)] = times.get(tuple(content), 0) + count

    def place(content: tuple[Any, ...]) -> tuple[Any, ...]:
        name, category, price, updated = content
        date = updated if updated and updated != "soon" else ""
        values = (name, category, float(price) if price and price != "$9" else None)
        unread = tuple(text for text in (price if price == "$9" else "", updated if updated == "soon" else ""))
        return (
            tuple(-ord(c) for c in date) or (1,),
            -times[content],
            [(value is None, value.encode() if isinstance(value, str) else value or 0) for value in values],
            [(text == "", text) for text in unread],
        )

    return min(times, key=place)


@settings(max_examples=30, deadline=None)
@given(products=PRODUCTS, seed=st.integers(0, 99))
def test_of_rival_rows_the_one_of_the_contract_is_taken_whatever_the_order(
    compiled: Compiled, products: list[Product], seed: int
) -> None:
    rows = [content for *content, count in products for _ in range(count)]
    random.Random(seed).shuffle(rows)
    names = ("product_name", "category", "list_price", "updated_at")
    compiled.land(
        "products",
        [
            {"source_file": f"f{n % 2}", "source_row": n, "product_id": "p", **dict(zip(names, row, strict=True))}
            for n, row in enumerate(rows)
        ],
    )
    compiled.build("refused_rows", "stg_products")
    name, category, price, updated = taken(products)
    found = compiled.con.sql(
        "select product_name, category, list_price, cast(updated_at as date)::varchar from stg_products"
    )
    assert found.fetchall() == [
        (name, category, None if price in (None, "$9") else float(price), None if updated == "soon" else updated)
    ]
    counts = compiled.con.sql(
        "select disposition, count(*) from refused_rows where source_table = 'products' group by 1"
    ).fetchall()
    contents = len({tuple(row) for row in rows})
    assert dict(counts) == {
        key: n for key, n in (("superseded", contents - 1), ("duplicate", len(rows) - contents)) if n
    }
