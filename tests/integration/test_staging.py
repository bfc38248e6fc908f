"""Staging over landing zones whose every row is known: what is kept, what is refused and why; nothing is lost."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from orchestration.landing.demo import package_data_dir
from tests.support.landing_zones import SECRETS, StagingRun, run_staging, write, write_dirty_zone, write_parquet

# The runs after the first share a warehouse, `second`: with a new path dbt would parse the whole project again.


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("staging")


@pytest.fixture(scope="module")
def dirty(scratch: Path) -> StagingRun:
    write_dirty_zone(scratch / "zone")
    run = run_staging(scratch / "warehouse", scratch / "zone", zone="Europe/Berlin")
    assert run.returncode == 0, run.output
    return run


DATES, NUMBERS = (f"(written otherwise? set landing_formats.order_lines.{setting})" for setting in ("dates", "numbers"))
REFUSED = {
    ("customers", "customers/crm.csv", 4): "kind: not one of person, company",
    ("customers", "customers/crm.csv", 5): "customer_id: missing",
    ("customers", "customers/crm.csv", 10): "torn: 9 fields, the header has 8",
    ("order_lines", "order_lines/till.csv", 4): "order_id, line_number: shared with a row of different content",
    ("order_lines", "order_lines/till.csv", 5): "order_id, line_number: shared with a row of different content",
    ("order_lines", "order_lines/till.csv", 6): f"ordered_at: not a timestamp {DATES}",
    ("order_lines", "order_lines/till.csv", 7): f"quantity: not a number {NUMBERS}",
    ("order_lines", "order_lines/till.csv", 9): "amount: missing",
    ("order_lines", "order_lines/till.csv", 14): "torn: 4 fields, the header has 9",
    ("order_lines", "order_lines/till.csv", 15): f"amount: not a number {NUMBERS}",
    ("order_lines", "order_lines/till.csv", 16): (
        f"ordered_at: not a timestamp {DATES}; quantity: not a number {NUMBERS}; amount: missing"
    ),
    ("responses", "responses/mail.csv", 2): "kind: not one of open, click, redeem, purchase, unsubscribe",
    ("responses", "responses/mail.csv", 3): "kind: missing",
    ("consents", "consents/all.csv", 3): "opted_in: not yes or no",
    ("consents", "consents/all.csv", 4): "customer_id, channel, recorded_at: shared with a row of different content",
    ("consents", "consents/all.csv", 5): "customer_id, channel, recorded_at: shared with a row of different content",
    ("assignments", "assignments/tests.csv", 3): "arm: not one of treated, holdout",
    ("exchange_rates", "exchange_rates/bank.csv", 2): (
        f"rate: not a number {NUMBERS.replace('order_lines', 'exchange_rates')}"
    ),
    ("customer_aliases", "customer_aliases/merged.csv", 2): "customer_id: missing",
}

# table: (landed, staged, quarantined, duplicate)
ACCOUNT = {
    "customers": (12, 6, 4, 2),
    "companies": (0, 0, 0, 0),
    "company_contacts": (0, 0, 0, 0),
    "products": (0, 0, 0, 0),
    "order_lines": (22, 10, 8, 4),
    "touchpoints": (0, 0, 0, 0),
    "responses": (3, 1, 2, 0),
    "consents": (5, 2, 3, 0),
    "assignments": (5, 4, 1, 0),
    "exchange_rates": (2, 1, 1, 0),
    "customer_aliases": (2, 1, 1, 0),
    "prospects": (0, 0, 0, 0),
}


def test_every_bad_row_is_in_quarantine_with_its_reasons(dirty: StagingRun) -> None:
    rows = dirty.query("select source_table, file, row_number, reasons from quarantine")
    refused = {(table, file, row): reasons for table, file, row, reasons in rows if reasons != "superseded"}
    assert refused == REFUSED


def test_of_rows_that_differ_in_personal_data_alone_one_is_taken_and_none_of_it_is_told(dirty: StagingRun) -> None:
    """Which of the two is taken hangs on digests that are salted; what is staged is the same."""
    [(table, file, row, by)] = dirty.query(
        "select source_table, file, row_number, superseded_by from quarantine where reasons = 'superseded'"
    )
    assert (table, file) == ("customers", "customers/crm.csv")
    assert {(file, row), tuple(by.split(", row "))} in (
        {(file, 7), (file, "8")},
        {(file, 8), (file, "7")},
    )


def test_optional_values_that_cannot_be_read_are_listed_and_refuse_nothing(dirty: StagingRun) -> None:
    rows = dirty.query(
        'select source_table, "column", spelling, "rows", column_share from unreadable_values order by 1, 2'
    )
    assert rows == [
        # A share is a number from 0 to 1.
        ("assignments", "share_treated", "50", 1, 1 / 5),
        # A birth date is personal in all but its punctuation.
        ("customers", "birth_date", "99.99.9999", 1, 1.0),
        ("order_lines", "coupon_amount", "abc", 1, 1.0),
        # The other one is in a row that is refused for its amount.
        ("order_lines", "line_number", "x", 1, 2 / 18),
    ]
    [(remedy,)] = dirty.query("select remedy from unreadable_values where source_table = 'customers'")
    assert remedy.startswith("not a date") and remedy.endswith("write 2026-01-31, or leave it empty")
    [(remedy,)] = dirty.query("select remedy from unreadable_values where source_table = 'assignments'")
    assert remedy.startswith("not a number from 0 to 1 (") and "(0.5 for a half)" in remedy
    shares = dirty.query("select customer_id, share_treated from stg_assignments order by 1")
    assert shares == [("c1", Decimal("0.5")), ("c2", Decimal("0.5")), ("c4", Decimal("0.5")), ("c5", None)]


def test_the_account_adds_up_table_by_table(dirty: StagingRun) -> None:
    rows = dirty.query(
        "select source_table, rows_landed, rows_staged, rows_quarantined, rows_duplicate from row_account"
    )
    assert {table: tuple(counts) for table, *counts in rows} == ACCOUNT


def test_order_lines_are_typed_and_turned_into_utc_and_local_time(dirty: StagingRun) -> None:
    rows = dirty.query(
        "select order_id, line_number, customer_id, product_id, ordered_at, ordered_at_local, ordered_on, quantity,"
        " amount from stg_order_lines order by order_id, line_number, amount"
    )
    moment = datetime.fromisoformat
    assert rows == [
        ("o1", 1, "c1", "p1", moment("2026-03-28 23:30"), moment("2026-03-29 00:30"), date(2026, 3, 29), 1,
         Decimal("2.5")),
        ("o1", 2, "c1", "p2", moment("2026-03-28 22:30"), moment("2026-03-28 23:30"), date(2026, 3, 28), 2, 3),
        # Nobody's: a line may be without a customer.
        ("o3", 3, None, "p1", moment("2026-03-29 10:00"), moment("2026-03-29 12:00"), date(2026, 3, 29), 1, 1),
        ("o3", 5, "c2", 'p "1", x\ny', moment("2026-03-29 13:30:00.5"), moment("2026-03-29 15:30:00.5"),
         date(2026, 3, 29), 1, 10),
        ("o3", 6, "c2", "p1", moment("2026-03-29 10:00"), moment("2026-03-29 12:00"), date(2026, 3, 29), 1, 1),
        ("o3", None, "c2", "p1", moment("2026-03-29 10:00"), moment("2026-03-29 12:00"), date(2026, 3, 29), 1, 1),
        ("o5", None, "c1", "7", moment("2026-10-25 00:30"), moment("2026-10-25 02:30"), date(2026, 10, 25), 1,
         Decimal("1.5")),
        ("o5", None, "c1", "7", moment("2026-10-25 00:30"), moment("2026-10-25 02:30"), date(2026, 10, 25), 1,
         Decimal("1.5")),
        ("o5", None, "c1", "7", moment("2026-10-25 00:30"), moment("2026-10-25 02:30"), date(2026, 10, 25), 1,
         Decimal("2.5")),
        ("o6", 1, "900", "p1", moment("2026-10-25 01:30"), moment("2026-10-25 02:30"), date(2026, 10, 25), -1,
         Decimal("-0.1")),
    ]  # fmt: skip


def test_kind_is_person_where_nothing_is_said(dirty: StagingRun) -> None:
    rows = dirty.query("select customer_id, kind, household_size from stg_customers order by 1")
    assert rows == [
        ("c1", "person", None),
        ("c2", "person", None),
        ("c3", "company", None),
        ("c5", "person", None),
        ("c6", "person", None),
        ("c8", "person", "5+"),
    ]


def test_flags_and_closed_lists_are_read_in_any_case(dirty: StagingRun) -> None:
    assert dirty.query("select opted_in from stg_consents order by recorded_at") == [(True,), (False,)]
    assert dirty.query("select kind from stg_responses") == [("open",)]


def test_a_date_column_keeps_the_day_of_a_timestamp_as_written_and_turns_an_offset_into_local_time(
    dirty: StagingRun,
) -> None:
    days = dirty.query("select assigned_on from stg_assignments where treatment_id = 't1'")
    assert days == [(date(2026, 1, 1),), (date(2026, 1, 1),)]


def test_the_holdout_of_several_treatments_is_none_in_whatever_case_it_is_written(dirty: StagingRun) -> None:
    rows = dirty.query(
        "select customer_id, treatment_id, arm from stg_assignments where treatment_id <> 't1' order by 1"
    )
    assert rows == [("c4", "none", "holdout"), ("c5", "None", "treated")]


def test_personal_data_is_in_no_file_and_no_output(dirty: StagingRun) -> None:
    held = [dirty.output]
    with duckdb.connect(str(dirty.warehouse / "build" / "warehouse.duckdb"), read_only=True) as con:
        for (table,) in con.execute("select table_name from duckdb_tables()").fetchall():
            held += [str(row) for row in con.execute(f"select * from {table}").fetchall()]
        for file in dirty.warehouse.glob("landed/*/*.parquet"):
            held += [str(row) for row in con.read_parquet(str(file)).fetchall()]
    for folder in (dirty.warehouse, dirty.logs, dirty.warehouse.parent / "dbt-target"):
        held += [file.read_bytes().decode("latin-1") for file in folder.rglob("*") if file.is_file()]
    text = "\n".join(held)
    assert "household_size" in text  # the search does read what was written
    assert [secret for secret in (*SECRETS, "planted", "Planted") if secret in text] == []


def test_the_raw_row_holds_the_contract_columns_as_they_came(dirty: StagingRun) -> None:
    ((raw,),) = dirty.query("select raw from quarantine where source_table = 'assignments'")
    assert raw == (
        '{"customer_id":"c3","treatment_id":"t1","arm":"control","assigned_on":"2026-01-01","share_treated":"0.5","experiment_id":null,"ends_on":null}'
    )


def test_no_value_of_a_torn_row_is_kept(dirty: StagingRun) -> None:
    raws = dirty.query("select raw from quarantine where reasons like 'torn%'")
    assert len(raws) == 2
    assert all(set(part.split(":")[1] for part in raw.strip("{}").split(",")) == {"null"} for (raw,) in raws)


def test_ignored_folders_files_and_columns_are_named_in_warnings(dirty: StagingRun) -> None:
    for words in (
        "order_line: folder ignored, it is no table of the contract (did you mean order_lines?)",
        "customers: columns kept out, not in the contract: shoe_size",
        "order_lines: columns kept out, not in the contract: note",
        "products: 1 file ignored that is neither .parquet nor .csv",
    ):
        assert words in dirty.output


def _zone_of_lines(zone: Path, amounts: list[str]) -> None:
    rows = [f"o{i},c1,p1,2026-01-01,1,{amount}" for i, amount in enumerate(amounts)]
    write(
        zone / "order_lines" / "a.csv", "\n".join(["order_id,customer_id,product_id,ordered_at,quantity,amount", *rows])
    )


def test_too_many_refused_rows_stop_the_build_with_table_count_and_reason(scratch: Path) -> None:
    _zone_of_lines(scratch / "zone-bad", ["1"] * 9 + ["x"] * 90 + [""])
    run = run_staging(scratch / "second", scratch / "zone-bad")
    assert run.returncode != 0
    assert (
        "order_lines: 91 of 100 rows refused, more than max_quarantine_share (0.9) allows. "
        f"Most often: amount: missing (1), first in order_lines/a.csv, row 100, amount: not a number {NUMBERS} (90), "
        'such as amount "x" in order_lines/a.csv, row 10. Repair the files' in run.output
    )
    assert re.search(r"SKIP relation main\.stg_order_lines ", run.output)


def test_refused_rows_up_to_the_limit_pass(scratch: Path) -> None:
    _zone_of_lines(scratch / "zone-edge", ["1"] * 10 + ["x"] * 90)
    run = run_staging(scratch / "second", scratch / "zone-edge")
    assert run.returncode == 0, run.output


def test_dbt_says_in_one_line_which_file_lacks_which_column(scratch: Path) -> None:
    write(scratch / "zone-short" / "order_lines" / "a.csv", "order_id,customer_id,product_id,ordered_at,quantity\n")
    run = run_staging(scratch / "second", scratch / "zone-short")
    assert run.returncode != 0
    assert any(
        line.strip().endswith("order_lines/a.csv: required column amount is missing")
        for line in run.output.splitlines()
    )
    assert "Traceback" not in run.output


@pytest.fixture(scope="module")
def demo(scratch: Path) -> StagingRun:
    run = run_staging(scratch / "demo", None)
    assert run.returncode == 0, run.output
    return run


@pytest.mark.demo
def test_the_demo_weeks_are_the_retailers_weeks(demo: StagingRun) -> None:
    """The package numbers its weeks; the local Monday-to-Sunday weeks of America/New_York are the same 53."""
    transactions = package_data_dir() / "transactions.parquet"
    weeks = demo.query(
        f"""
        with retailer as (
            select distinct cast(basket_id as varchar) as order_id, week from read_parquet('{transactions}')
        )
        select week, count(distinct date_trunc('week', ordered_on)), min(date_trunc('week', ordered_on))
        from stg_order_lines join retailer using (order_id) group by week order by week
        """
    )
    assert len(weeks) == 53
    assert {n for _, n, _ in weeks} == {1}
    assert len({monday for *_, monday in weeks}) == 53
    counts = "rows_landed, rows_staged, rows_quarantined, rows_duplicate"
    assert demo.query(f"select {counts} from row_account where source_table = 'order_lines'") == [
        (1_469_307, 1_469_307, 0, 0)
    ]


def test_the_order_of_files_and_rows_changes_nothing_that_is_staged(scratch: Path, dirty: StagingRun) -> None:
    zone = scratch / "zone-turned"
    columns = "order_id, line_number, customer_id, product_id, ordered_at, quantity, amount, coupon_amount"
    rows = dirty.warehouse.glob("landed/order_lines/*.parquet")
    files = ", ".join(f"'{file}'" for file in rows)
    write_parquet(
        zone / "order_lines" / "all.parquet",
        f"""
        select {columns} from read_parquet([{files}])
        where landing_problem is null order by md5(to_json([{columns}]))
        """,
    )
    turned = run_staging(scratch / "second", zone, zone="Europe/Berlin")
    assert turned.returncode == 0, turned.output
    query = "select * from stg_order_lines order by all"
    assert turned.query(query) == dirty.query(query)


@pytest.mark.demo
def test_the_demo_campaigns_keep_their_local_start_day(demo: StagingRun) -> None:
    described = package_data_dir() / "campaign_descriptions.parquet"
    wrong = demo.query(
        f"""
        select count(*) from stg_touchpoints
        join read_parquet('{described}') as d on d.campaign_id = cast(stg_touchpoints.campaign_id as bigint)
        where touched_on <> cast(d.start_date as date) or channel <> 'mail'
        """
    )
    assert wrong == [(0,)]
    assert demo.query("select count(*) from stg_touchpoints") == [(6589,)]
