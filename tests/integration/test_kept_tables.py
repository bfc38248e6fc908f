"""Kept tables: which days and dates a change reopens (dbt's own SQL over made-up lines), and what is made again."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import growing_zone, project
from tests.support.project import Build

pytestmark = pytest.mark.slow

FIRST_DAY = date(2026, 1, 1)
AS_OF_DATES = tuple(FIRST_DAY + timedelta(days=n) for n in (0, 2, 4, 9))
# The models that say what a day and a date are made from, in the order they are built.
CHAIN = ("int_long_orders", "int_order_days", "int_fact_dates")


@dataclass(frozen=True, order=True)
class Line:
    """A line of an order: `day` counts from FIRST_DAY; `content` stands for all that a line or its product says."""

    order: str
    day: int
    content: int = 0
    customer: str = "c"


@dataclass(frozen=True)
class MadeFrom:
    """Hash of each day (counted from FIRST_DAY) and of each as-of date."""

    days: Mapping[int, int]
    dates: Mapping[date, int]

    def reopened_days(self, before: MadeFrom) -> set[int]:
        return {d for d in self.days.keys() | before.days.keys() if self.days.get(d) != before.days.get(d)}

    def reopened_dates(self, before: MadeFrom) -> set[date]:
        return {d for d in self.dates if self.dates[d] != before.dates[d]}


class Chain:
    """dbt's compiled models over tables that a test fills."""

    def __init__(self, compiled: Mapping[str, str]) -> None:
        self.compiled = compiled
        self.con = duckdb.connect()
        self.con.execute("attach ':memory:' as warehouse")
        self.con.execute(
            "create table warehouse.main.int_as_of_dates as select unnest($1::date[]) as as_of", [AS_OF_DATES]
        )
        self.con.execute(
            "create table warehouse.main.int_order_lines"
            " (order_id varchar, customer_id varchar, ordered_on date, line_hash ubigint, is_counted boolean)"
        )
        self.con.execute("create view warehouse.main.stg_order_lines as from warehouse.main.int_order_lines")
        self.con.execute(
            "create table warehouse.main.int_customers (customer_id varchar, kind varchar, first_line_on date)"
        )

    def made_from(self, lines: Sequence[Line], kinds: Mapping[str, str] | None = None) -> MadeFrom:
        """What the chain says of these lines; `kinds` are the customers' (default person)."""
        self.con.execute("delete from warehouse.main.int_order_lines; delete from warehouse.main.int_customers")
        if lines:
            self.con.executemany(
                "insert into warehouse.main.int_order_lines values ($1, $2, $3, hash($4), true)",
                [(line.order, line.customer, FIRST_DAY + timedelta(days=line.day), f"{line}") for line in lines],
            )
        self.con.execute(
            "insert into warehouse.main.int_customers select customer_id, 'person', min(ordered_on)"
            " from warehouse.main.int_order_lines group by customer_id"
        )
        for customer, kind in (kinds or {}).items():
            self.con.execute(
                "update warehouse.main.int_customers set kind = $2 where customer_id = $1", [customer, kind]
            )
        for model in CHAIN:
            self.con.execute(f"create or replace table warehouse.main.{model} as {self.compiled[model]}")
        days = self.con.sql("select day_on, made_from from warehouse.main.int_order_days").fetchall()
        dates = self.con.sql("select as_of, made_from from warehouse.main.int_fact_dates").fetchall()
        return MadeFrom({(day - FIRST_DAY).days: made_from for day, made_from in days}, dict(dates))


def dates_after(day: int) -> set[date]:
    return {as_of for as_of in AS_OF_DATES if as_of > FIRST_DAY + timedelta(days=day)}


# ---- a warehouse, and what its models compiled to --------------------------------------------------------------------


@dataclass(frozen=True)
class Zone:
    """A small landing zone and its warehouse: twelve persons who shop every day for eight weeks, until 1 March."""

    folder: Path

    @property
    def file(self) -> Path:
        """dbt's database."""
        return self.folder / "warehouse" / "build" / "warehouse.duckdb"

    def build(self, *arguments: str, **variables: str) -> Build:
        """What int_customer_occasions is made of (files, then days, then dates), and what says what it is made from."""
        selected = ("--select", "+int_customer_occasions", "int_customer_days", "+int_fact_dates")
        return self.dbt("build", *selected, "--exclude-resource-type", "test", "unit_test", *arguments, **variables)

    def dbt(self, *arguments: str, **variables: str) -> Build:
        landing = str(self.folder / "landing")
        return project.dbt(
            arguments, self.folder / "warehouse", self.folder / "target", LANDING_DIR=landing, **variables
        )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.file)) as con:
            return con.execute(sql).fetchall()

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        return sorted(self.query(f"select * from {table}"), key=repr)


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Zone:
    folder = tmp_path_factory.mktemp("kept")
    lines = [
        {
            "order_id": f"{person}-{day}",
            "customer_id": f"p{person}",
            "product_id": "bread",
            "ordered_at": (datetime(2026, 1, 5, 8 + person) + timedelta(days=day)).isoformat(),
            "quantity": 1,
            "amount": 3,
        }
        for person in range(12)
        for day in range(56)
    ]
    products = [{"product_id": "bread", "department": "BAKERY", "category": "BREAD"}]
    project.write_landing(folder / "landing", {"order_lines": lines, "products": products})
    found = Zone(folder)
    found.build()
    return found


@pytest.fixture(scope="module")
def chain(zone: Zone) -> Chain:
    folder = zone.folder / "target" / "compiled" / "segments_in_use" / "models" / "intermediate"
    return Chain({model: next(folder.rglob(f"{model}.sql")).read_text(encoding="utf-8") for model in CHAIN})


# ---- which days a change reopens -------------------------------------------------------------------------------------

# Days 0 and 3: short orders. Order `long` lies on days 1 and 2, beside a short one on each.
LINES = (
    Line("first", 0),
    Line("long", 1),
    Line("beside", 1),
    Line("long", 2),
    Line("after", 2),
    Line("last", 3),
    Line("last", 3, content=5),
)


def changed(line: Line, content: int) -> list[Line]:
    return [Line(x.order, x.day, content, x.customer) if x == line else x for x in LINES]


def test_the_order_of_lines_reopens_nothing(chain: Chain) -> None:
    before = chain.made_from(LINES)
    after = chain.made_from(LINES[::-1])
    assert (after.reopened_days(before), after.reopened_dates(before)) == (set(), set())


def test_a_changed_line_reopens_its_own_day_alone(chain: Chain) -> None:
    assert chain.made_from(changed(Line("last", 3), 9)).reopened_days(chain.made_from(LINES)) == {3}


def test_a_changed_line_reopens_the_days_that_its_order_reaches_into(chain: Chain) -> None:
    assert chain.made_from(changed(Line("long", 2), 9)).reopened_days(chain.made_from(LINES)) == {1, 2}


def test_a_changed_line_beside_a_long_order_reopens_its_own_day_alone(chain: Chain) -> None:
    assert chain.made_from(changed(Line("beside", 1), 9)).reopened_days(chain.made_from(LINES)) == {1}


def test_a_late_line_that_makes_an_order_long_reopens_both_days(chain: Chain) -> None:
    assert chain.made_from([*LINES, Line("first", 3)]).reopened_days(chain.made_from(LINES)) == {0, 3}


def test_a_line_taken_away_that_makes_an_order_short_reopens_both_days(chain: Chain) -> None:
    lines = [line for line in LINES if line != Line("long", 2)]
    assert chain.made_from(lines).reopened_days(chain.made_from(LINES)) == {1, 2}


def test_the_same_order_number_of_another_customer_does_not_reach_across(chain: Chain) -> None:
    lines = [*LINES, Line("first", 3, customer="other")]
    assert chain.made_from(lines).reopened_days(chain.made_from(LINES)) == {3}


def test_a_day_without_lines_is_gone(chain: Chain) -> None:
    lines = [line for line in LINES if line.day != 3]
    assert set(chain.made_from(lines).days) == {0, 1, 2}


lines_of_few_orders = st.lists(
    st.builds(
        Line,
        order=st.sampled_from("AB"),
        day=st.integers(0, 2),
        content=st.integers(0, 1),
        customer=st.sampled_from("cd"),
    ),
    max_size=6,
)


def decides(lines: Sequence[Line]) -> dict[int, tuple[Counter[Line], Counter[Line]]]:
    """By day, what its facts are made from: its own lines, and the whole of each order that reaches into it."""
    orders: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        orders[line.order, line.customer].append(line)
    reaching = [order for order in orders.values() if len({line.day for line in order}) > 1]
    return {
        day: (
            Counter(line for line in lines if line.day == day),
            Counter(line for order in reaching if any(x.day == day for x in order) for line in order),
        )
        for day in {line.day for line in lines}
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=lines_of_few_orders, after=lines_of_few_orders)
def test_a_day_is_reopened_exactly_where_what_it_is_made_from_differs(
    chain: Chain, before: list[Line], after: list[Line]
) -> None:
    old, new = decides(before), decides(after)
    differing = {day for day in old.keys() | new.keys() if old.get(day) != new.get(day)}
    assert chain.made_from(after).reopened_days(chain.made_from(before)) == differing


# ---- which dates a change reopens ------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", range(4))
def test_a_late_line_reopens_the_dates_after_its_day_and_none_before(chain: Chain, day: int) -> None:
    after = chain.made_from([*LINES, Line("late", day)])
    assert after.reopened_dates(chain.made_from(LINES)) == dates_after(day)


def test_a_changed_line_reopens_the_dates_after_the_first_day_of_its_order(chain: Chain) -> None:
    """The hash of its first day is of all its lines: the date between the two days is made again as well."""
    after = chain.made_from(changed(Line("long", 2), 9))
    assert after.reopened_dates(chain.made_from(LINES)) == dates_after(1)
    assert dates_after(1) != dates_after(2)


def test_another_kind_of_a_customer_reopens_the_dates_after_their_first_line(chain: Chain) -> None:
    lines = [*LINES, Line("other", 2, customer="firm")]
    before, after = chain.made_from(lines), chain.made_from(lines, {"firm": "company"})
    assert (after.reopened_days(before), after.reopened_dates(before)) == (set(), dates_after(2))


# ---- when kept tables are made again ---------------------------------------------------------------------------------

# A value that no model writes and none of those built here reads: it is there as long as its partition is kept.
MARKED = {"base_order_lines": "store_id", "int_customer_days": "coupon_amount", "int_customer_occasions": "spend"}


def mark(zone: Zone) -> None:
    """Writes the value into every row of some kept tables, and makes sure that it is there."""
    for table, column in MARKED.items():
        zone.query(f"update {table} set {column} = '9999'")
    assert marked(zone) == set(MARKED)


def marked(zone: Zone) -> set[str]:
    """The tables of which any row still has the value."""
    return {table for table, column in MARKED.items() if zone.query(f"from {table} where {column} = '9999'")}


@pytest.fixture
def built(zone: Zone, tmp_path: Path) -> Iterator[Zone]:
    """The zone as it was first built; the test may do to it what it wants."""
    saved = shutil.copy(zone.file, tmp_path)
    yield zone
    shutil.copy(saved, zone.file)


def test_nothing_is_made_again_where_nothing_changed(built: Zone) -> None:
    mark(built)
    everything = {table: built.rows(table) for table in MARKED}
    built.build()
    assert {table: built.rows(table) for table in MARKED} == everything


def test_a_changed_var_makes_the_tables_that_read_it_again_and_once(built: Zone) -> None:
    others = set(MARKED) - {"int_customer_occasions"}
    mark(built)
    built.build("--vars", "{rfm_window_days: 7}")
    assert marked(built) == others
    days = "select max(baskets) from int_customer_occasions"
    assert built.query(days) == [(7,)]
    mark(built)
    built.build("--vars", "{rfm_window_days: 7}")
    assert marked(built) == set(MARKED)
    built.build()
    assert marked(built) == others
    # All eight weeks.
    assert built.query(days) == [(56,)]


def test_another_as_of_date_keeps_days_and_the_dates_that_stay(built: Zone) -> None:
    mark(built)
    built.build(AS_OF="2026-02-20")
    assert marked(built) == set(MARKED)
    assert built.query("select distinct as_of, spend = 9999 from int_customer_occasions order by as_of") == [
        (date(2026, 2, 1), True),
        (date(2026, 2, 20), False),
    ]


def test_a_partition_that_was_lost_is_made_again(built: Zone) -> None:
    before = {table: built.rows(table) for table in MARKED}
    built.query("delete from int_customer_days where day_on = date '2026-01-20'")
    built.query("delete from int_customer_occasions where as_of = date '2026-02-01'")
    built.query("drop table base_order_lines")
    built.build()
    assert {table: built.rows(table) for table in MARKED} == before


def test_a_partition_of_another_input_is_made_again_and_no_other(built: Zone) -> None:
    """As a run leaves it that was stopped before it came to this table."""
    mark(built)
    built.query("update int_customer_days set made_from = made_from + 1 where day_on = date '2026-01-20'")
    built.build()
    remade = built.query("select distinct day_on from int_customer_days where coupon_amount <> 9999")
    assert remade == [(date(2026, 1, 20),)]


# Those that are made from int_customer_categories, and are kept.
OF_CATEGORIES = ["category_interest", "job_to_be_done", "lifestyle", "purchase_motive", "spend_structure"]


def test_categories_are_added_up_for_the_dates_that_a_scheme_lacks_and_for_no_others(built: Zone) -> None:
    def run(*models: str) -> None:
        built.dbt("build", "--select", *models, "--exclude-resource-type", "test", "unit_test")

    def dates(table: str) -> list[date]:
        return [row[0] for row in built.query(f"select distinct as_of from {table} order by as_of")]

    with_inputs = [f"+{name}" for name in OF_CATEGORIES]
    run(*with_inputs)
    past, *others = dates("int_customer_categories")
    today = others[-1]
    everything = {name: built.rows(name) for name in OF_CATEGORIES}
    run(*with_inputs)
    assert dates("int_customer_categories") == dates("int_customer_category_baskets") == [today]
    assert {name: built.rows(name) for name in OF_CATEGORIES} == everything
    built.query(f"delete from spend_structure where as_of = date '{past}'")
    # By itself the scheme finds nothing of the date that it lacks, and leaves it out, instead of not knowing anybody.
    run("spend_structure")
    assert dates("spend_structure") == others
    run(*with_inputs)
    assert dates("int_customer_categories") == [past, today]
    assert {name: built.rows(name) for name in OF_CATEGORIES} == everything


def test_a_run_of_some_models_leaves_the_other_kept_tables_alone(tmp_path: Path) -> None:
    """By other keys: what is not selected stays; what is made from it is made again by the next whole run."""
    landing_dir = growing_zone.write_zone(tmp_path / "zone", growing_zone.Zone(customers=6, days=40))
    build = project.build(landing_dir, tmp_path)
    everything, keys = build.contents("int_buyer_features"), noted_keys(build)
    # Seeds and tables that are not kept are noted too: what is made from them can be made in a run of its own.
    assert {BUYER_FEATURES, "model.segments_in_use.segments", "seed.segments_in_use.rfm_grid"} <= set(keys)
    other_key = ["--vars", "{store_timezone: Etc/UTC}"]
    build = project.build(landing_dir, tmp_path, arguments=["--select", "int_buyer_features", *other_key])
    assert build.contents("int_buyer_features") == everything
    # Made from tables of the other key, it is not noted; they are there as they were.
    assert noted_keys(build) == {name: key for name, key in keys.items() if name != BUYER_FEATURES}
    assert build.value("select count(*) from int_customer_days") > 0
    build = project.build(landing_dir, tmp_path, arguments=other_key)
    assert set(noted_keys(build)) == set(keys)
    assert set(noted_keys(build).values()).isdisjoint(keys.values())
    assert build.contents("int_buyer_features") == everything


BUYER_FEATURES = "model.segments_in_use.int_buyer_features"


def noted_keys(build: project.Build) -> dict[str, str]:
    return build.mapping("select table_name, build_key from build_keys where table_name <> 'none'")
