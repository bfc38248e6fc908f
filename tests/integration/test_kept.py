"""What is kept between refreshes equals what a build from nothing makes, whatever happened in between.

A zone is changed at random, step by step; after each step the kept tables are brought up to date, and every table is
compared with one built from the same files in an empty warehouse.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from tests.support import project
from tests.support.growing_zone import FIRST_DAY, LINE_COLUMNS, Zone, day_file, order_lines, write_lines, write_zone

pytestmark = pytest.mark.slow

ZONE = Zone(customers=25, days=100, visits=0.15, seed=4)
# As in dbt_project.yml.
SEQUENCE_DAYS, MIN_PAIR_COUNT = 30, 5
KEPT_BY_DAY = [
    "int_baskets",
    "int_customer_days",
    "int_customer_category_days",
    "int_basket_occasions",
    "int_basket_item_numbers",
]
KEPT_BY_PERIOD = ["int_period_pairs", "int_period_sizes", "int_period_customer_items", "int_sequence_bits"]
KEPT_OF_CLOSED_PERIODS = ["int_past_pairs", "int_past_sequences"]
KEPT_BY_GRID = ["int_grid_pairs", "int_grid_sizes", "int_grid_item_counts", "int_grid_pair_tests"]
KEPT_BY_DATE = [
    "int_buyer_features",
    "int_customer_occasions",
    "int_rfm_scores",
    "int_price_sensitivity",
    "int_profiles",
    "int_memberships",
    "int_membership_moves",
    "rfm",
    "category_interest",
    "spend_structure",
    "lifestyle",
    "age_band",
]
# The column that each is kept by.
PARTITIONS = {
    **dict.fromkeys(KEPT_BY_DAY, "day_on"),
    **dict.fromkeys(KEPT_BY_PERIOD, "period_on"),
    **dict.fromkeys(KEPT_OF_CLOSED_PERIODS, "open_on"),
    **dict.fromkeys(KEPT_BY_GRID, "grid_on"),
    **dict.fromkeys(KEPT_BY_DATE, "as_of"),
}


@dataclass
class Shop:
    """A landing zone, and chance. Each method changes one thing in it, and says what."""

    folder: Path
    chance: random.Random
    as_of: str = ""
    steps: int = 0
    extra: list[Path] = field(default_factory=list)

    def days(self) -> list[date]:
        return [
            FIRST_DAY + timedelta(days=n)
            for n in range(200)
            if day_file(self.folder, FIRST_DAY + timedelta(days=n)).is_file()
        ]

    def lines(self, day: date) -> list[str]:
        return day_file(self.folder, day).read_text(encoding="utf-8").splitlines()[1:]

    def other_file(self, name: str, lines: list[str]) -> None:
        path = write_lines(self.folder / "order_lines" / "other" / f"{self.steps}-{name}.csv", lines)
        self.extra.append(path)

    def edit(self, change: Callable[[list[str]], list[str]]) -> str:
        """Change the fields of one line of a random day."""
        day = self.chance.choice([d for d in self.days() if self.lines(d)])
        lines = self.lines(day)
        number = self.chance.randrange(len(lines))
        lines[number] = ",".join(change(lines[number].split(",")))
        write_lines(day_file(self.folder, day), lines)
        return f"{day}: {lines[number]}"

    # ---- what can happen --------------------------------------------------------------------------------------------

    def a_new_day(self) -> str:
        day = self.days()[-1] + timedelta(days=1)
        write_lines(
            day_file(self.folder, day), order_lines(ZONE, day) or [f"one-{day},1,c1,p0-0,{day}T09:00:00Z,1,2,0,0"]
        )
        return str(day)

    def a_corrected_amount(self) -> str:
        return self.edit(lambda f: [*f[:6], str(float(f[6]) + 10), *f[7:]])

    def another_product(self) -> str:
        return self.edit(lambda f: [*f[:3], "p4-1", *f[4:]])

    def another_customer(self) -> str:
        return self.edit(lambda f: [*f[:2], "c-new" if self.chance.random() < 0.5 else "c3", *f[3:]])

    def another_day(self) -> str:
        return self.edit(lambda f: [*f[:4], f"{self.chance.choice(self.days())}T23:30:00Z", *f[5:]])

    def a_line_that_cannot_be_read(self) -> str:
        return self.edit(lambda f: [*f[:5], "many", *f[6:]])

    def a_deleted_file(self) -> str:
        day = self.chance.choice(self.days()[:-1])
        day_file(self.folder, day).unlink()
        return str(day)

    def a_file_sent_again(self) -> str:
        day = self.chance.choice(self.days())
        self.other_file("again", self.lines(day))
        return str(day)

    def a_rival_of_an_old_line(self) -> str:
        fields = self.chance.choice([line for d in self.days() for line in self.lines(d)]).split(",")
        self.other_file("rival", [",".join([*fields[:6], "99.99", *fields[7:]])])
        return fields[0]

    def an_order_over_midnight(self) -> str:
        day = self.chance.choice(self.days()[1:])
        order, after = f"long-{self.steps}", day + timedelta(days=1)
        self.other_file(
            "night",
            [
                f"{order},1,c2,p1-1,{day}T23:59:00Z,1,4,0,0",
                f"{order},2,c2,p2-1,{after}T00:01:00Z,1,5,0,0",
                f"{order},3,c2,p3-1,{after}T00:02:00Z,-1,-6,0,0",
            ],
        )
        return f"{order} on {day}"

    def an_other_file_gone(self) -> str:
        if not self.extra:
            return self.an_order_over_midnight()
        path = self.extra.pop(self.chance.randrange(len(self.extra)))
        path.unlink()
        return path.name

    def an_other_file_shortened(self) -> str:
        """Of an order over midnight, the first day's line is taken away: the basket moves to the next day."""
        nights = [path for path in self.extra if "night" in path.name]
        if not nights:
            return self.an_order_over_midnight()
        path = nights[0]
        write_lines(path, path.read_text(encoding="utf-8").splitlines()[2:])
        return path.name

    def a_product_elsewhere(self) -> str:
        path = self.folder / "products" / "rows.csv"
        lines = path.read_text(encoding="utf-8").splitlines()
        number = self.chance.randrange(1, len(lines))
        lines[number] = (
            lines[number].replace("grocery", "deli").replace("drinks", "grocery").replace("private", "national")
        )
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return lines[number]

    def a_new_customer(self) -> str:
        return self._customer(f"n{self.steps},1980-05-05,female,urban")

    def a_customer_who_is_a_company(self) -> str:
        number = self.chance.randrange(ZONE.customers)
        project.write_csv(self.folder, "companies", [{"company_id": f"c{number}", "settlement": "rural"}])
        return f"c{number}"

    def a_changed_profile(self) -> str:
        path = self.folder / "customers" / "rows.csv"
        lines = path.read_text(encoding="utf-8").splitlines()
        number = self.chance.randrange(1, len(lines))
        lines[number] = lines[number].replace("urban", "rural").replace("female", "male")
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return lines[number]

    def _customer(self, line: str) -> str:
        path = self.folder / "customers" / "rows.csv"
        path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
        return line

    def an_experiment_of_the_past(self) -> str:
        day = self.chance.choice(self.days()[30:])
        row = {"customer_id": "c1", "treatment_id": "x", "arm": "treated", "assigned_on": day}
        project.write_csv(self.folder, "assignments", [row])
        return str(day)

    def a_date_in_the_past(self) -> str:
        self.as_of = str(self.days()[-1] - timedelta(days=self.chance.randrange(3, 40)))
        return self.as_of

    def today_again(self) -> str:
        self.as_of = ""
        return "as of the last day"


CHANGES: list[Callable[[Shop], str]] = [
    Shop.a_new_day,
    Shop.a_corrected_amount,
    Shop.another_product,
    Shop.another_customer,
    Shop.another_day,
    Shop.a_line_that_cannot_be_read,
    Shop.a_deleted_file,
    Shop.a_file_sent_again,
    Shop.a_rival_of_an_old_line,
    Shop.an_order_over_midnight,
    Shop.an_other_file_gone,
    Shop.an_other_file_shortened,
    Shop.a_product_elsewhere,
    Shop.a_new_customer,
    Shop.a_customer_who_is_a_company,
    Shop.a_changed_profile,
    Shop.an_experiment_of_the_past,
    Shop.a_date_in_the_past,
    Shop.today_again,
]


def differing(kept: project.Build, anew: project.Build) -> list[str]:
    """Tables that are not the same in both."""
    tables = [*kept.published_tables(), *PARTITIONS, "row_account", "refused_rows"]
    return [table for table in tables if kept.contents(table) != anew.contents(table)]


def spoil(build: project.Build, chance: random.Random) -> str:
    """What a stopped run leaves: a kept table that is gone, or one without some of its partitions."""
    table, partition = chance.choice(list({**PARTITIONS, "base_order_lines": "source_file"}.items()))
    with duckdb.connect(str(build.file)) as con:
        if chance.random() < 0.3:
            con.execute(f"drop table {table}")
            return f"{table} lost"
        con.execute(f"delete from {table} where hash({partition}) % 3 = 0")
    return f"{table} half-way"


@pytest.mark.parametrize("seed", [1])
def test_kept_tables_equal_a_build_from_nothing_after_any_change(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    shop = Shop(write_zone(tmp_path / "zone", ZONE), chance)
    kept = project.build(shop.folder, tmp_path / "kept")
    # Every change comes once, a few at a time.
    waiting = chance.sample(CHANGES, len(CHANGES))
    said: list[str] = []
    while waiting:
        for change in [waiting.pop() for _ in range(min(4, len(waiting)))]:
            shop.steps += 1
            said.append(f"{change.__name__}: {change(shop)}")
        said.append(spoil(kept, chance))
        variables = {"AS_OF": shop.as_of} if shop.as_of else {}
        kept = project.build(shop.folder, tmp_path / "kept", **variables)
        shutil.rmtree(tmp_path / "anew" / "warehouse", ignore_errors=True)
        anew = project.build(shop.folder, tmp_path / "anew", **variables)
        assert differing(kept, anew) == [], "\n".join(said)


def test_a_refresh_makes_only_what_changed(tmp_path: Path) -> None:
    """Seen by spoiling what must not be touched: days and dates before a late line stay as they were."""
    landing_dir = write_zone(tmp_path / "zone", ZONE)
    build = project.build(landing_dir, tmp_path)
    late = FIRST_DAY + timedelta(days=70)
    with duckdb.connect(str(build.file)) as con:
        con.execute("update int_customer_days set spend = 1234.5")
        con.execute("update int_buyer_features set monetary = 1234.5")
        con.execute("update base_order_lines set store_id = 'kept'")
    write_lines(landing_dir / "order_lines" / "late.csv", [f"late,1,c0,p0-0,{late}T12:00:00Z,1,7.50,0,0"])
    build = project.build(landing_dir, tmp_path)
    spoiled = "select distinct day_on from int_customer_days where spend = 1234.5"
    assert build.rows(f"select count(*) from int_customer_days where spend <> 1234.5 and day_on <> date '{late}'") == [
        (0,)
    ]
    assert (late,) not in build.rows(spoiled)
    dates = build.mapping("select as_of, min(monetary) = 1234.5 from int_buyer_features group by as_of")
    assert dates == {day: day <= late for day in dates} and set(dates.values()) == {True, False}
    assert build.rows("select count(*) from base_order_lines where store_id is null") == [(1,)]


def test_a_new_day_is_added_to_what_is_kept_of_closed_periods(tmp_path: Path) -> None:
    """Only because they were not counted again do pairs still hold what was made wrong in the closed periods."""
    wrong = 1000
    # Pairs of products are counted on every day, and not only where a week begins.
    daily = ("--vars", "{affinity_grid: day}")
    landing_dir = write_zone(tmp_path / "zone", ZONE)
    build = project.build(landing_dir, tmp_path, arguments=daily)
    kept = {name: build.contents(name) for name in KEPT_OF_CLOSED_PERIODS}
    with duckdb.connect(str(build.file)) as con:
        for name in KEPT_OF_CLOSED_PERIODS:
            con.execute(f"update {name} set n_both = n_both + {wrong}")
    day = FIRST_DAY + timedelta(days=ZONE.days)
    write_lines(day_file(landing_dir, day), order_lines(ZONE, day))
    build = project.build(landing_dir, tmp_path, arguments=daily)
    with duckdb.connect(str(build.file)) as con:
        for name in KEPT_OF_CLOSED_PERIODS:
            con.execute(f"update {name} set n_both = n_both - {wrong}")
    assert {name: build.contents(name) for name in KEPT_OF_CLOSED_PERIODS} == kept
    # How each is found, and counted directly: in the closed periods, and in all.
    pairs = {
        "int_grid_pairs": ("product", "x.basket_number = y.basket_number and a.item_key < b.item_key", "*"),
        "int_item_sequences": (
            "category",
            "x.customer_number = y.customer_number and a.item_number <> b.item_number"
            f" and y.bought_on - x.bought_on between 1 and {SEQUENCE_DAYS}",
            "distinct x.customer_number",
        ),
    }
    for table, (level, condition, counted) in pairs.items():
        item, dates = (
            ("a.item_key", "int_affinity_grid") if level == "product" else ("a.item_number", "int_closed_periods")
        )
        direct = f"""
            select
                {item}, {item.replace("a.", "b.")},
                count({counted}) filter (where greatest(x.bought_on, y.bought_on) < open_on), count({counted})
            from int_basket_item_numbers as x
            inner join int_affinity_items as a on x.item_key = a.item_key and a.item_level = '{level}'
            cross join int_basket_item_numbers as y
            inner join int_affinity_items as b on y.item_key = b.item_key and b.item_level = '{level}'
            cross join {dates}
            where {condition}
            group by all
        """
        expected = {
            (a, b): total + (wrong if past else 0)
            for a, b, past, total in build.rows(direct)
            if total + (wrong if past else 0) >= MIN_PAIR_COUNT
        }
        found = build.rows(
            f"""select item_a, item_b, n_both from {table}
            inner join int_affinity_items as items on item_a = {item[2:]} and items.item_level = '{level}'"""
        )
        assert {(a, b): n_both for a, b, n_both in found} == expected and len(expected) > 20


def test_a_return_that_moves_over_the_grids_day_makes_its_baskets_period_again(tmp_path: Path) -> None:
    """Sequences of products count as of Monday 9 February. On both as-of dates the saw has come back; as the
    second one knows it, on that Monday it had not yet."""

    def line(order: str, customer: str, product: str, day: str, sign: int = 1, returned: str = "") -> dict[str, object]:
        return {
            "order_id": order,
            "customer_id": customer,
            "product_id": product,
            "ordered_at": f"{day}T12:00:00Z",
            "quantity": sign,
            "amount": 9 * sign,
            "returns_order_id": returned,
        }

    def built(place: str, returned_on: str, as_of: str) -> project.Build:
        lines = [
            line("o1", "c1", "nail", "2026-01-10"),
            line("o2", "c1", "saw", "2026-01-12"),
            line("o3", "c1", "saw", returned_on, -1, "o2"),
            # The period holds something else, too: one that holds nothing is made again in any case.
            line("o4", "c2", "nail", "2026-01-05"),
            line("o5", "c2", "glue", "2026-01-06"),
        ]
        zone = project.write_landing(tmp_path / "zone", {"order_lines": lines})
        return project.dbt(
            [
                *("build", "--select", "+int_sequence_bits", "--exclude-resource-type", "test", "unit_test"),
                *("--vars", "{sequence_levels: [product]}"),
            ],
            tmp_path / place,
            tmp_path / "target",
            LANDING_DIR=str(zone),
            AS_OF=as_of,
        )

    before = built("kept", "2026-02-03", "2026-02-12").contents("int_sequence_bits")
    kept = built("kept", "2026-02-10", "2026-02-13").contents("int_sequence_bits")
    assert kept == built("anew", "2026-02-10", "2026-02-13").contents("int_sequence_bits")
    assert (len(before), len(kept)) == (1, 2)


def test_a_customer_of_the_file_who_becomes_a_guest_is_a_member_of_the_past_no_more(tmp_path: Path) -> None:
    """The till's own customer never ordered, and nothing else of the customer file changes."""
    landing_dir = write_zone(tmp_path / "zone", Zone(customers=6, days=70))
    customers = landing_dir / "customers" / "rows.csv"
    with customers.open("a", encoding="utf-8") as file:
        file.write("TILL1,1980-05-05,female,urban\n")

    def built(place: str) -> project.Build:
        return project.dbt(
            ["build", "--select", "+int_profiles", "--exclude-resource-type", "test", "unit_test"],
            tmp_path / place,
            tmp_path / "target",
            LANDING_DIR=str(landing_dir),
        )

    members = "select count(distinct as_of) from int_profiles where customer_id = 'TILL1'"
    assert built("kept").value(members) > 2
    project.write_csv(landing_dir, "customer_aliases", [{"alias_id": "TILL1", "customer_id": "0"}])
    kept = built("kept")
    assert kept.value(members) == 0
    assert kept.contents("int_profiles") == built("anew").contents("int_profiles")


def test_the_header_of_the_generated_lines_is_the_one_that_changes_count_on() -> None:
    assert LINE_COLUMNS.split(",")[:7] == [
        "order_id",
        "line_number",
        "customer_id",
        "product_id",
        "ordered_at",
        "quantity",
        "amount",
    ]
