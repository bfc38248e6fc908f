"""What a change of the input must and must not change, on a small shop with a planted complement."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support import project, shop
from tests.support.project import Build

CUT = date(2025, 11, 15)
SHIFT = timedelta(days=35)  # whole weeks: a Monday stays a Monday
DAY_IN_TEXT = re.compile(r"\d{4}-\d{2}-\d{2}")
TWIN, COPIED = "zz-twin", "p07"
LATE = "p12"  # bought in the first three weeks only

Maker = Callable[..., Build]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    def build(zone: shop.Zone | Path, **options: Any) -> Build:
        folder = tmp_path_factory.mktemp("shop")
        landing = zone if isinstance(zone, Path) else project.write_landing(folder / "landing", zone)
        # Of so few categories, offers would be made of products.
        arguments = ("--vars", "{min_offer_items: 0}", *options.pop("arguments", ()))
        return project.build(landing, folder, arguments=arguments, STORE_TIMEZONE=shop.TIMEZONE, **options)

    return build


@pytest.fixture(scope="module")
def zone() -> shop.Zone:
    return shop.zone()


@pytest.fixture(scope="module")
def base(make: Maker, zone: shop.Zone) -> Build:
    return make(zone)


def test_the_shop_is_what_these_tests_need(zone: shop.Zone, base: Build) -> None:
    assert 1900 < len(zone["order_lines"]) < 2600
    assert base.value("select count(*) from stg_order_lines") == len(zone["order_lines"])
    assert base.mapping("select kind, count(*) from customer_profiles group by all") == {"person": 55, "company": 5}
    assert base.value("select count(*) from quarantine") == 0


def test_as_of_date_is_the_local_day_after_the_last_line(zone: shop.Zone, base: Build) -> None:
    last = max(line["ordered_at"] for line in zone["order_lines"])
    assert base.value("select as_of from int_as_of_dates where is_current") == shop.FIRST_DAY + timedelta(shop.DAYS)
    assert last.date() == shop.FIRST_DAY + timedelta(shop.DAYS - 1)


def test_planted_complements_are_the_strongest_affinities(base: Build) -> None:
    strongest = base.rows(
        """select antecedent, consequent from product_affinities where item_level = 'category' and "window" = 'basket'
        order by size_adjusted_lift desc, antecedent limit 6"""
    )
    pairs = {frozenset(pair) for pair in strongest}
    assert pairs == {frozenset(p) for p in (("BRICK", "SAND"), ("BRICK", "CEMENT"), ("SAND", "CEMENT"))}


def test_who_buys_brick_and_never_sand_is_offered_sand_first(base: Build) -> None:
    offers = base.mapping("select customer_id, item, because_item from next_best_offers where offer_rank = 1")
    for customer in shop.FORGETFUL:
        assert offers[customer][0] == "SAND"
        assert offers[customer][1] in ("BRICK", "CEMENT")


@pytest.fixture(scope="module")
def shuffled(make: Maker, zone: shop.Zone, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The same rows, backwards and in turn in files of two formats."""
    landing = tmp_path_factory.mktemp("shuffled")
    for table, rows in zone.items():
        mixed = list(rows)
        random.Random(5).shuffle(mixed)
        project.write_csv(landing, table, mixed[0::3], "z.csv")
        project.write_csv(landing, table, mixed[1::3], "loaded_on=2026-01-01/a.csv")
        if mixed[2::3]:
            project.write_parquet(landing, table, mixed[2::3], "m.parquet")
    return make(landing)


def test_order_of_rows_and_files_changes_no_published_row(base: Build, shuffled: Build) -> None:
    expected = base.published()
    assert set(expected) >= {"customer_segments", "segments", "product_affinities", "next_best_offers"}
    for table, rows in shuffled.published().items():
        assert rows == expected[table], table


def test_one_processor_dates_one_at_a_time_and_the_default_as_of_date_spelled_out_change_no_published_row(
    base: Build, make: Maker, zone: shop.Zone
) -> None:
    as_of = (shop.FIRST_DAY + timedelta(shop.DAYS)).isoformat()
    one_at_a_time = ["--vars", "{min_offer_items: 0, rows_of_a_part: 1}"]
    single = make(zone, as_of=as_of, cpus=1, arguments=["--threads", "4", *one_at_a_time])
    log = (single.warehouse / "dbt-logs" / "dbt.log").read_text(encoding="utf-8")
    for name in ("int_customer_categories", "category_interest", "spend_structure", "purchase_motive"):
        dates = base.value(f"select count(distinct as_of) from {name}")
        assert len(re.findall(rf'insert into "warehouse"."main"."{name}"', log)) == dates - 1 > 0, name
    expected = base.published()
    for table, rows in single.published().items():
        assert rows == expected[table], table


@pytest.mark.parametrize("kind", ["person", "company"])
@pytest.mark.parametrize(
    ("value", "score", "better"),
    [("recency_days", "recency_score", -1), ("frequency", "frequency_score", 1), ("monetary", "monetary_score", 1)],
)
def test_better_never_scores_lower_and_equal_scores_equal(
    base: Build, kind: str, value: str, score: str, better: int
) -> None:
    rows = base.rows(f"select {value}, {score} from customer_profiles where kind = '{kind}' and frequency > 0")
    ranked = sorted((better * amount, points) for amount, points in rows)
    points = [p for _, p in ranked]
    assert points == sorted(points)
    assert len({amount for amount, _ in ranked}) == len(set(ranked))
    assert kind == "company" or (points[0], points[-1]) == (1, 5)


def test_coming_back_later_raises_the_recency_score_from_worst_to_best(
    base: Build, make: Maker, zone: shop.Zone
) -> None:
    def later(line: dict[str, Any]) -> dict[str, Any]:
        if line["customer_id"] == LATE:
            line["ordered_at"] += timedelta(days=shop.DAYS - 21)
        return line

    query = f"select recency_score, frequency_score from customer_profiles where customer_id = '{LATE}'"
    before, after = base.rows(query)[0], make(shop.changed_lines(zone, later)).rows(query)[0]
    assert (before[0], after[0]) == (1, 5)
    assert after[1] >= before[1]


def test_a_copied_customer_has_the_originals_scores_and_segments(make: Maker, zone: shop.Zone) -> None:
    copies = [
        {**line, "customer_id": TWIN, "order_id": f"twin-{line['order_id']}"}
        for line in zone["order_lines"]
        if line["customer_id"] == COPIED
    ]
    profile = next(row for row in zone["customers"] if row["customer_id"] == COPIED)
    twins = make(
        {
            **zone,
            "order_lines": [*zone["order_lines"], *copies],
            "customers": [*zone["customers"], {**profile, "customer_id": TWIN}],
        }
    )
    rows = twins.rows(
        f"select columns(* exclude (customer_id)) from customer_profiles where customer_id in ('{TWIN}', '{COPIED}')"
    )
    assert len(rows) == 2
    assert rows[0] == rows[1]
    offers = "select offer_rank, item, score, because_item from next_best_offers where customer_id = '{}' order by all"
    assert twins.rows(offers.format(TWIN)) == twins.rows(offers.format(COPIED)) != []


def _shifted(value: Any) -> Any:
    """A date, or the dates in a text, later by the shift."""
    if isinstance(value, str):
        return DAY_IN_TEXT.sub(lambda day: (date.fromisoformat(day[0]) + SHIFT).isoformat(), value)
    return value + SHIFT if isinstance(value, date) else value


def _without_seasons(build: Build, table: str) -> list[tuple[Any, ...]]:
    """The rows without what goes by the month of the year, which a shift by weeks changes."""
    if table != "product_affinities":
        return build.contents(table)
    return build.rows(f"select columns(* exclude (season_adjusted_lift, relation)) from {table} order by all")


def test_shifting_every_date_and_the_as_of_date_shifts_nothing_else(base: Build, make: Maker, zone: shop.Zone) -> None:
    """The history's grid is a calendar, so only the tables of the as-of date are compared."""

    def later(line: dict[str, Any]) -> dict[str, Any]:
        return {**line, "ordered_at": line["ordered_at"] + SHIFT}

    moved = shop.changed_lines(zone, later)
    moved["customers"] = [
        {**row, "birth_date": row["birth_date"] + SHIFT if row.get("birth_date") else None} for row in zone["customers"]
    ]
    shifted = make(moved, as_of=(shop.FIRST_DAY + timedelta(shop.DAYS) + SHIFT).isoformat())
    for table in (
        "customer_profiles",
        "customer_segments",
        "segments",
        "segment_profiles",
        "product_affinities",
        "next_best_offers",
    ):
        expected = [tuple(_shifted(value) for value in row) for row in _without_seasons(base, table)]
        assert _without_seasons(shifted, table) == expected, table


def test_lines_on_or_after_the_as_of_date_change_no_published_row(make: Maker, zone: shop.Zone) -> None:
    """The first line that is cut off is one of the as-of date itself."""
    known = [line for line in zone["order_lines"] if shop.local_day(line) < CUT]
    midnight = datetime.combine(CUT, datetime.min.time()) - shop.OFFSET
    on_the_day = {**known[0], "order_id": "on-the-day", "ordered_at": midnight, "customer_id": "newcomer"}
    whole = make({**zone, "order_lines": [*zone["order_lines"], on_the_day]}, as_of=CUT.isoformat())
    cut = make({**zone, "order_lines": known}, as_of=CUT.isoformat())
    expected = cut.published()
    for table, rows in whole.published().items():
        assert rows == expected[table], table
    assert "newcomer" not in {row[0] for row in whole.rows("select customer_id from customer_profiles")}
