"""Cross-sell over time: what lies after the as-of date changes nothing; a second day, and an as-of date that moves over
lines which have landed, equal a build from nothing."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support import project, shop
from tests.support.project import Build

pytestmark = pytest.mark.slow

TABLES = ("product_affinities", "segment_affinities", "next_best_offers", "cross_sell_gaps")
SELECTED = ("--select", *(f"+{table}" for table in TABLES))
# A small shop has few baskets: with the usual limits some tables would be empty, and equal for nothing.
LIMITS = (
    "{gap_min_lift: 1.1, gap_min_peer_share: 0.1, gap_min_baskets: 2, relation_deviations: 1, segment_min_baskets: 40,"
    " min_offer_items: 0}"
)
ARGUMENTS = ("build", "--exclude-resource-type", "unit_test", "test", "--vars", LIMITS, *SELECTED)
AS_OF = date(2025, 11, 15)
# Sold from the as-of date on only, in a department that their category is not of before.
MOVED = [{"product_id": f"moved-{n}", "department": "TOOLS", "category": "SEEDS"} for n in range(5)]
LATER = [{"product_id": "new-0", "department": "NEW", "category": "AARDVARKS"}]

Rows = list[dict[str, Any]]
Contents = dict[str, list[tuple[Any, ...]]]


def dbt(landing: Path, folder: Path, **variables: str) -> Build:
    return project.dbt(
        ARGUMENTS,
        folder / "warehouse",
        folder / "target",
        LANDING_DIR=str(landing),
        STORE_TIMEZONE=shop.TIMEZONE,
        **variables,
    )


def line(order: str, number: int, customer: str, product: str, at: datetime) -> dict[str, Any]:
    """An order line at a local time."""
    return {
        "order_id": order,
        "line_number": number,
        "customer_id": customer,
        "product_id": product,
        "ordered_at": at - shop.OFFSET,
        "quantity": 1,
        "amount": "4.00",
    }


def noon(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time()) + timedelta(hours=12)


# ---- what lies after the as-of date ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class AsOf:
    """The same zone without and with what was sold on the as-of date and later."""

    before: Build
    with_later: Build


@pytest.fixture(scope="module")
def as_of(tmp_path_factory: pytest.TempPathFactory) -> AsOf:
    base = tmp_path_factory.mktemp("as-of")
    zone = shop.zone()
    zone["products"] = [*zone["products"], *MOVED, *LATER]
    past = [row for row in zone["order_lines"] if shop.local_day(row) < AS_OF]
    assert 0.4 * len(zone["order_lines"]) < len(past) < len(zone["order_lines"])
    future: Rows = [row for row in zone["order_lines"] if shop.local_day(row) >= AS_OF]
    buyers = sorted({row["customer_id"] for row in past})
    for n, buyer in enumerate([*buyers, "newcomer"]):
        # Every pair that there is, SEEDS of another department, and what nobody sold before.
        future += [
            line(f"later-{n}", i, buyer, product, noon(AS_OF + timedelta(days=n % 30)))
            for i, product in enumerate(
                ["BRICK-0", "DRILLS-0", "SOIL-1", "new-0", *(row["product_id"] for row in MOVED)]
            )
        ]
    # An order of the evening before that goes on after midnight.
    last = max(past, key=lambda row: row["ordered_at"])
    future.append(line(last["order_id"], 99, last["customer_id"], "BRICK-0", noon(AS_OF)))
    builds = []
    for name, lines in (("before", past), ("later", [*past, *future])):
        landing = project.write_landing(base / name / "landing", {**zone, "order_lines": lines})
        builds.append(dbt(landing, base / name, AS_OF=AS_OF.isoformat()))
    return AsOf(*builds)


@pytest.mark.parametrize("table", [*TABLES, "int_customer_occasions", "occasion"])
def test_what_was_sold_from_the_as_of_date_on_changes_no_row(as_of: AsOf, table: str) -> None:
    rows = as_of.before.contents(table)
    assert rows
    assert as_of.with_later.contents(table) == rows


def test_departments_of_offers_are_those_before_the_as_of_date(as_of: AsOf) -> None:
    sql = "select item, department, customers, share, is_offered from int_offer_items order by item"
    rows = as_of.before.rows(sql)
    assert ("SEEDS", "GARDEN") in {row[:2] for row in rows}
    assert as_of.with_later.rows(sql) == rows


# ---- a second day ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SecondDay:
    """The build after a second day, the same from nothing, and the former after an untouched month was made wrong; and
    what the first one becomes after the turn of the year, with the same from nothing."""

    daily: Build
    full: Build
    tampered: Build
    new_year: Build
    new_year_full: Build


UNTOUCHED, LATE = date(2025, 3, 1), date(2025, 6, 1)
TAMPERED_BY = 1000
KEPT = ("int_period_pairs", "int_period_sizes", "int_period_customer_items")
OF_CLOSED_PERIODS = ("int_past_pairs", "int_past_sequences")
OF_THE_GRID = ("int_grid_pairs", "int_grid_sizes", "int_grid_item_counts", "int_grid_pair_tests")


@pytest.fixture(scope="module")
def second_day(tmp_path_factory: pytest.TempPathFactory) -> SecondDay:
    base = tmp_path_factory.mktemp("second-day")
    zone = shop.zone()
    lines: Rows = zone["order_lines"]
    # The middle of a month, so that the month is counted again.
    first = [row for row in lines if shop.local_day(row) < date(2025, 12, 18)]
    second = [row for row in lines if date(2025, 12, 18) <= shop.local_day(row) < date(2025, 12, 30)]
    last = [row for row in lines if shop.local_day(row) >= date(2025, 12, 30)]
    landing = project.write_landing(base / "landing", {**zone, "order_lines": first})
    daily = base / "daily"
    dbt(landing, daily)
    project.write_csv(landing, "order_lines", [*second, *_late_lines(first)], "second.csv")
    tampered = base / "tampered"
    shutil.copytree(daily / "warehouse", tampered / "warehouse")
    with duckdb.connect(str(tampered / "warehouse" / "build" / "warehouse.duckdb")) as con:
        con.execute(f"update int_period_pairs set n_both = n_both + {TAMPERED_BY} where period_on = date '{UNTOUCHED}'")
    builds = [dbt(landing, daily), dbt(landing, base / "full"), dbt(landing, tampered)]
    later = project.write_landing(base / "later", {**zone, "order_lines": first})
    shutil.copytree(landing / "order_lines", later / "order_lines", dirs_exist_ok=True)
    project.write_csv(later, "order_lines", last, "last.csv")
    shutil.copytree(daily / "warehouse", base / "new-year" / "warehouse")
    return SecondDay(*builds, dbt(later, base / "new-year"), dbt(later, base / "new-year-full"))


def _late_lines(first: Sequence[dict[str, Any]]) -> Rows:
    """A late order of June, one more line of an old order of June, and an order that reaches from July into August."""
    rng = random.Random(7)
    june = [row for row in first if shop.local_day(row).replace(day=1) == LATE]
    old = rng.choice(june)
    return [
        line("late", 1, "p01", "DRILLS-0", noon(date(2025, 6, 12))),
        line("late", 2, "p01", "SAND-1", noon(date(2025, 6, 12))),
        line(old["order_id"], 98, old["customer_id"], "TAPE-0", old["ordered_at"] + shop.OFFSET),
        *_over_midnight(),
    ]


def _over_midnight() -> Rows:
    """An order that reaches from July into August."""
    return [
        line("over-midnight", 1, "p02", "DRILLS-1", datetime(2025, 7, 31, 23, 50)),
        line("over-midnight", 2, "p02", "BRICK-1", datetime(2025, 8, 1, 0, 10)),
    ]


@pytest.mark.parametrize(
    "table", [*TABLES, *KEPT, *OF_CLOSED_PERIODS, *OF_THE_GRID, "int_item_pairs", "int_item_counts"]
)
def test_a_second_day_equals_a_build_from_nothing(second_day: SecondDay, table: str) -> None:
    assert second_day.daily.contents(table) == second_day.full.contents(table)


@pytest.mark.parametrize("table", [*TABLES, *KEPT, *OF_CLOSED_PERIODS, *OF_THE_GRID])
def test_months_become_a_year_when_it_is_over(second_day: SecondDay, table: str) -> None:
    assert second_day.new_year.contents(table) == second_day.new_year_full.contents(table)
    if table in KEPT:
        sql = f"select distinct period_on from {table} order by 1"
        assert second_day.daily.rows(sql)[:2] == [(date(2025, 1, 1),), (date(2025, 2, 1),)]
        assert second_day.new_year.rows(sql)[:2] == [(date(2025, 1, 1),), (date(2026, 1, 1),)]


def test_a_pair_is_of_the_month_in_which_it_was_complete(second_day: SecondDay) -> None:
    sql = """select period_on, sum(n_both) from int_period_pairs where item_level = 'category'
        and period_on between date '2025-07-01' and date '2025-08-01' group by 1 order by 1"""
    direct = """
        with facts as (
            select basket_number, item_key, bought_on from int_basket_item_numbers where item_level = 'category'
        )
        select cast(date_trunc('month', greatest(a.bought_on, b.bought_on)) as date), count(*) from facts as a
        inner join facts as b on a.basket_number = b.basket_number and a.item_key < b.item_key
        where greatest(a.bought_on, b.bought_on) between date '2025-07-01' and date '2025-08-31'
        group by 1 order by 1"""
    assert second_day.daily.rows(sql) == second_day.daily.rows(direct)


def test_a_month_without_a_new_line_is_not_counted_again(second_day: SecondDay) -> None:
    """Only because it was kept does the month still hold what was made wrong in it."""
    sql = "select period_on, sum(n_both), count(*) from int_period_pairs group by 1 order by 1"
    truth, found = second_day.full.mapping(sql), second_day.tampered.mapping(sql)
    assert found.keys() == truth.keys()
    for month, (n_both, rows) in truth.items():
        wrong = TAMPERED_BY * rows if month == UNTOUCHED else 0
        assert found[month] == (n_both + wrong, rows)


# ---- an as-of date that moves over what has landed ------------------------------------------------------------------


@dataclass(frozen=True)
class MovedDates:
    """One warehouse as of the day after an order's evening, then of the next day and of the first one again, with the
    same lines throughout; and what a build from nothing makes of the next day. Contents of the tables, by name."""

    first: Contents
    second: Contents
    second_anew: Contents
    first_again: Contents


MOVED_TABLES = (
    *TABLES,
    *KEPT,
    *OF_CLOSED_PERIODS,
    *OF_THE_GRID,
    "int_item_pairs",
    "int_item_counts",
    "int_sequence_bits",
)


@pytest.fixture(scope="module")
def moved_dates(tmp_path_factory: pytest.TempPathFactory) -> MovedDates:
    base = tmp_path_factory.mktemp("moved-dates")
    zone = shop.zone()
    lines = [*zone["order_lines"], *_over_midnight()]
    landing = project.write_landing(base / "landing", {**zone, "order_lines": lines})

    def contents(folder: str, as_of: str) -> Contents:
        build = dbt(landing, base / folder, AS_OF=as_of)
        return {table: build.contents(table) for table in MOVED_TABLES}

    first, second = "2025-08-01", "2025-08-02"
    return MovedDates(
        contents("kept", first), contents("kept", second), contents("anew", second), contents("kept", first)
    )


@pytest.mark.parametrize("table", MOVED_TABLES)
def test_an_as_of_date_that_moves_over_an_order_of_two_months_equals_a_build_from_nothing(
    moved_dates: MovedDates, table: str
) -> None:
    """The order's basket is complete in July on the first date, and in August on the second."""
    assert moved_dates.second[table] == moved_dates.second_anew[table]
    assert moved_dates.first_again[table] == moved_dates.first[table]
    if table == "int_period_sizes":
        assert moved_dates.second[table] != moved_dates.first[table]
