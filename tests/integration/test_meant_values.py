"""What exports mean: dates without times, empty cells, dates and ages that cannot be meant, stray ones."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pytest

from tests.support import project

FIRST = date(2025, 1, 1)
ORDERS = [
    {
        "order_id": f"o{i}",
        "customer_id": ("anna", "bela", "chen")[i % 3],
        "product_id": "paper",
        "ordered_at": (FIRST + timedelta(days=i)).isoformat(),
        "quantity": 1,
        "amount": "10.00",
    }
    for i in range(120)
]
OLD = {**ORDERS[0], "order_id": "old", "ordered_at": "1900-01-01"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> project.Build:
    """A shop in New York whose export has no times, says NULL, and has one line of 1900."""
    base = tmp_path_factory.mktemp("meant")
    landing = project.write_landing(
        base / "landing",
        {
            "order_lines": [*ORDERS, OLD],
            "customers": [
                {"customer_id": "anna", "birth_date": "NULL", "region": "NULL", "country": "AT"},
                {"customer_id": "bela", "birth_date": "1880-01-01", "region": "N/A", "country": "AT"},
                {"customer_id": "chen", "birth_date": "1980-01-01 00:00:00", "region": "Tyrol", "country": "NULL"},
            ],
            "products": [{"product_id": "paper", "product_name": "NaN", "category": "Paper"}],
            # Of midnights throughout: days as well.
            "touchpoints": [
                {"touchpoint_id": "t1", "customer_id": "anna", "channel": "mail", "touched_at": "2025-03-01T00:00:00Z"},
                {"touchpoint_id": "t2", "customer_id": "bela", "channel": "mail", "touched_at": "2025-03-09T00:00:00Z"},
            ],
            "consents": [
                {"customer_id": "anna", "channel": "mail", "opted_in": "yes", "recorded_at": "2025-03-01T00:00:00Z"},
                {"customer_id": "bela", "channel": "mail", "opted_in": "yes", "recorded_at": "2025-03-01T00:30:00Z"},
            ],
        },
    )
    return project.build(landing, base, STORE_TIMEZONE="America/New_York")


def test_a_date_without_a_time_is_that_day_in_the_stores(shop: project.Build) -> None:
    days = shop.mapping("select order_id, ordered_on from stg_order_lines")
    assert days == {row["order_id"]: date.fromisoformat(str(row["ordered_at"])) for row in ORDERS}
    assert shop.value("select as_of from int_as_of_dates where is_current") == FIRST + timedelta(days=120)
    assert shop.mapping("select customer_id, last_order_on from customer_profiles") == {
        "anna": FIRST + timedelta(days=117),
        "bela": FIRST + timedelta(days=118),
        "chen": FIRST + timedelta(days=119),
    }


def test_midnight_throughout_a_file_is_a_day_and_among_other_times_it_is_a_moment(shop: project.Build) -> None:
    assert shop.mapping("select touchpoint_id, touched_on from stg_touchpoints") == {
        "t1": date(2025, 3, 1),
        "t2": date(2025, 3, 9),
    }
    assert shop.mapping("select customer_id, recorded_on from stg_consents") == {
        "anna": date(2025, 2, 28),
        "bela": date(2025, 2, 28),
    }
    assert shop.value("select bool_or(recorded_at_is_day) from stg_consents") is False


def test_no_occasion_is_read_from_an_hour_that_no_file_has(shop: project.Build) -> None:
    assert shop.rows("select distinct segment, evidence from customer_segments where scheme = 'occasion'") == [
        ("unknown", "unknown")
    ]
    assert shop.value("select sum(baskets) from occasion_cells") == 0


def test_null_in_words_is_null_and_refuses_nothing(shop: project.Build) -> None:
    assert shop.mapping("select customer_id, birth_date, region, country from stg_customers") == {
        "anna": (None, None, "AT"),
        "bela": (date(1880, 1, 1), None, "AT"),
        "chen": (date(1980, 1, 1), "Tyrol", None),
    }
    assert shop.rows("select product_name from stg_products") == [(None,)]
    for table in shop.published_tables():
        if table != "quarantine":
            assert "NULL" not in str(shop.contents(table)), table


def test_an_age_that_nobody_reaches_is_unknown(shop: project.Build) -> None:
    ages = shop.mapping(
        "select customer_id, age from int_profiles where as_of = (select as_of from int_as_of_dates where is_current)"
    )
    assert ages == {"anna": None, "bela": None, "chen": 45}


def test_a_date_that_cannot_be_meant_refuses_its_line_and_makes_no_history(shop: project.Build) -> None:
    assert shop.rows("select row_number, reasons from quarantine") == [
        (121, "ordered_at: 1900-01-01 cannot be meant, it is before first_plausible_date (1990-01-01)")
    ]
    assert shop.value("select min(as_of) from int_as_of_dates where is_history_grid") == date(2025, 2, 1)


# ---- AS_OF ----------------------------------------------------------------------------------------------------------

Days = list[str]


@pytest.fixture(scope="module")
def judge(shop: project.Build) -> str:
    """The test's SQL, as dbt compiles it for a shop that sets no AS_OF."""
    name = "as_of_is_not_set_by_stray_dates"
    project.dbt(["compile", "--select", name], shop.warehouse, shop.target)
    (compiled,) = (shop.target / "compiled").rglob(f"{name}.sql")
    return compiled.read_text(encoding="utf-8")


def said_of(judge: str, days: Days) -> str:
    """What it stops with for lines of these days (with ` cancelled` after it: of an order that was); '' where it lets
    them pass."""
    lines = [
        (f"o{i}", date.fromisoformat(day.split()[0]), "order_lines/a.csv", i + 1, False, " ".join(day.split()[1:]))
        for i, day in enumerate(days)
    ]
    with duckdb.connect() as con:
        con.execute("attach ':memory:' as warehouse")
        columns = (
            "(order_id varchar, ordered_on date, source_file varchar, source_row bigint, is_refused boolean,"
            " status varchar)"
        )
        con.execute(f"create table warehouse.main.base_order_lines {columns}")
        con.executemany("insert into warehouse.main.base_order_lines values (?, ?, ?, ?, ?, ?)", lines)
        con.execute(
            "create table warehouse.main.stg_order_lines as"
            " select *, status <> 'cancelled' as is_counted from warehouse.main.base_order_lines"
        )
        con.execute(
            "create table warehouse.main.order_statuses as"
            " from (values (' Cancelled', false), ('cancelled', false), ('paid', true)) as seed (status, counts)"
        )
        try:
            assert con.execute(judge).fetchall() == []
        except duckdb.Error as error:
            return str(error)
    return ""


BUSY = ["2025-01-01"] * 1500 + ["2025-02-01"] * 1500
STRAY = {
    "two_of_four_lines_in_74_years": ["2025-11-01", "2025-11-03", "2099-12-30", "2099-12-31"],
    "a_thousandth_of_the_lines_32_days_later": [*BUSY, "2025-03-05", "2025-03-05", "2025-03-05"],
}
ORDINARY = {
    "a_slow_shop": ["2022-01-01", "2023-03-01", "2024-01-01", "2025-06-01"],
    "a_young_shop_after_its_first_order": ["2025-01-01", "2025-04-01", "2025-04-02"],
    "a_seasonal_shop_a_year_later": [*["2024-11-30", "2024-12-01", "2024-12-24"] * 20, "2025-11-30"],
    "a_thousandth_of_the_lines_31_days_later": [*BUSY, "2025-03-04", "2025-03-04", "2025-03-04"],
    "more_than_a_thousandth_after_a_pause": [*BUSY, *["2025-04-05"] * 4],
    "cancelled_lines_of_another_century": [*BUSY, "2099-01-01 cancelled", "2099-01-02 cancelled"],
}


@pytest.mark.parametrize("days", STRAY.values(), ids=STRAY)
def test_a_few_stray_lines_do_not_set_the_as_of_date(judge: str, days: Days) -> None:
    said = said_of(judge, days)
    assert f"would be the day after {days[-1]}" in said
    assert f"{days[-1]} (order o{len(days) - 1}, order_lines/a.csv, row {len(days)})" in said
    assert "Set AS_OF" in said


def test_lines_that_do_not_count_hide_no_stray_one(judge: str) -> None:
    said = said_of(judge, [*BUSY, *["2025-06-01 cancelled"] * 10, "2025-06-01"])
    assert "which one line alone sets" in said
    assert "2025-06-01 (order o3010, order_lines/a.csv, row 3011)" in said and "o3000" not in said


@pytest.mark.parametrize("days", ORDINARY.values(), ids=ORDINARY)
def test_a_shop_with_pauses_is_not_stopped(judge: str, days: Days) -> None:
    assert said_of(judge, days) == ""
