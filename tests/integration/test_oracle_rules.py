"""The rules of the contract on a landing zone whose every row is known: what counts as what, worked out by hand.

Stores are in New York. The last line is of 9 March 2026, 23:30 local time, so the as-of date is 10 March, and the RFM
window begins on 10 March 2025. The clocks went forward on 8 March: before, local time is UTC - 5, then UTC - 4.
"""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import duckdb
import pytest
import yaml

from tests.support import project
from tests.support.project import Build

HEADER = ("order_id", "customer_id", "product_id", "ordered_at", "quantity", "amount", "discount_amount")
LINES: list[tuple[Any, ...]] = [
    ("last", "ann", "sand", "2026-03-10 03:30:00", 1, 10, 2),  # 9 March, 23:30
    ("midnight", "ann", "brick", "2026-03-09 03:59:59", 1, 5, 0),  # 8 March, one second to midnight
    ("midnight", "ann", "sand", "2026-03-09 04:00:00", 1, 5, 0),  # the same basket, 9 March
    ("returned", "ann", "sand", "2026-03-09 15:00:00", -1, -4, 0),
    ("zero", "ann", "sand", "2026-03-01 15:00:00", 0, 3, 0),
    ("ghost", "carl", "not in products", "2026-03-01 15:00:00", 1, 7, 0),
    ("fuel", "dora", "diesel", "2026-03-01 15:00:00", 30, 60, 0),
    ("old", "eve", "sand", "2024-12-31 15:00:00", 1, 9, 0),
    ("firm's", "firm", "brick", "2026-02-01 15:00:00", 1, 500, 0),
    ("first in window", "fay", "sand", "2025-03-10 04:00:00", 1, 20, 0),  # 10 March 2025, 0:00
    ("before window", "gus", "sand", "2025-03-10 03:59:59", 1, 20, 0),  # 9 March 2025, 23:59:59
    ("only returns", "ida", "sand", "2026-03-01 15:00:00", -1, -6, 0),
]
ZONE: project.Landing = {
    "order_lines": [dict(zip(HEADER, line, strict=True)) for line in LINES],
    "products": [
        {"product_id": "sand", "department": "MASONRY", "category": "SAND", "brand_tier": "Private"},
        {"product_id": "brick", "department": "MASONRY", "category": "BRICK", "brand_tier": "National"},
        {"product_id": "diesel", "department": "FUEL", "category": "DIESEL"},
    ],
    "customers": [
        {"customer_id": "ann", "kind": None, "birth_date": "1990-03-10"},
        {"customer_id": "bob", "kind": "company"},
        {"customer_id": "firm", "kind": "person"},
    ],
    "companies": [{"company_id": "firm"}],
    "touchpoints": [
        {"touchpoint_id": "t1", "customer_id": "hal", "touched_at": "2026-03-01 15:00:00", "channel": "mail"},
    ],
}


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("hand")
    landing = project.write_landing(folder / "landing", ZONE)
    # As a data engineer types it; offers of two categories, which are too few by themselves.
    return project.dbt(
        ["build", "--vars", "{min_offer_items: 0}"],
        folder / "warehouse",
        folder / "target",
        LANDING_DIR=str(landing),
        STORE_TIMEZONE="America/New_York",
    )


def test_as_of_date_is_the_local_day_after_the_last_line(hand: Build) -> None:
    assert hand.value("select as_of from int_as_of_dates where is_current") == date(2026, 3, 10)


def test_basket_has_the_local_date_of_its_first_line(hand: Build) -> None:
    assert hand.mapping("select order_id, basket_on from int_baskets") == {
        "last": date(2026, 3, 9),
        "midnight": date(2026, 3, 8),
        "ghost": date(2026, 3, 1),
        "old": date(2024, 12, 31),
        "firm's": date(2026, 2, 1),
        "first in window": date(2025, 3, 10),
        "before window": date(2025, 3, 9),
    }


def test_members_are_profiles_companies_and_buyers_but_nobody_known_from_other_tables(hand: Build) -> None:
    assert hand.mapping("select customer_id, kind from customer_profiles") == {
        "ann": "person",
        "bob": "company",
        "carl": "person",
        "dora": "person",
        "eve": "person",
        "fay": "person",
        "firm": "company",
        "gus": "person",
        "ida": "person",
    }


def test_spend_counts_returns_and_zero_quantities_and_no_fuel(hand: Build) -> None:
    """ann: 10 + 5 + 5 - 4 + 3 = 19."""
    assert hand.mapping("select customer_id, cast(monetary as double), frequency from customer_profiles") == {
        "ann": (19, 2),
        "bob": (0, 0),
        "carl": (7, 1),
        "dora": (0, 0),
        "eve": (0, 0),
        "fay": (20, 1),
        "firm": (500, 1),
        "gus": (0, 0),
        "ida": (-6, 0),
    }


def test_recency_is_known_before_the_window_too(hand: Build) -> None:
    found = hand.mapping("select customer_id, recency_days from customer_profiles")
    expected = {"ann": 1, "carl": 9, "eve": 434, "fay": 365, "firm": 37, "gus": 366}
    assert found == {**expected, "bob": None, "dora": None, "ida": None}


def test_scores_and_segments_of_rfm(hand: Build) -> None:
    """Active persons: ann, carl, fay. Places 1 to 3 make 1 + floor(5 x (place - 1/2) / 3) = 1, 3, 5.

    carl and fay have one basket, which is 1. The firm is alone of its kind, in the middle of it: 3.
    """
    scores = hand.mapping(
        "select customer_id, recency_score, frequency_score, monetary_score, rfm from customer_profiles"
    )
    assert scores == {
        "ann": (5, 5, 3, "champions"),
        "carl": (3, 1, 1, "about_to_sleep"),
        "fay": (1, 1, 5, "hibernating"),
        "firm": (3, 1, 3, "about_to_sleep"),
        "eve": (1, 1, 1, "hibernating"),
        "gus": (1, 1, 1, "hibernating"),
        "bob": (None, None, None, "unknown"),
        "dora": (None, None, None, "unknown"),
        "ida": (None, None, None, "unknown"),
    }


def test_age_is_that_of_the_as_of_date(hand: Build) -> None:
    """The birthday is the as-of date itself: 36."""
    assert hand.value("select age from int_profiles where customer_id = 'ann' and as_of = date '2026-03-10'") == 36


def test_unknown_product_has_no_category_and_counts_as_a_basket(hand: Build) -> None:
    assert hand.value("select count(*) from int_baskets") == 7
    assert hand.value("select count(*) from int_order_lines where category is null and is_merchandise") == 1
    assert hand.rows("select * from next_best_offers where customer_id = 'carl' and because_item is not null") == []


def test_offer_was_never_bought_and_its_reason_was(hand: Build) -> None:
    """Only ann holds both categories; eve, fay and gus have SAND alone, firm BRICK alone."""
    offers = {
        row[:2]: row[2:]
        for row in hand.rows(
            """select customer_id, item, because_item, because_last_bought_on, because_times_bought
        from next_best_offers where customer_id not in ('carl', 'bob', 'dora', 'ida')"""
        )
    }
    assert set(offers) == {("eve", "BRICK"), ("fay", "BRICK"), ("gus", "BRICK"), ("firm", "SAND")}
    facts = {
        "eve": ("SAND", date(2024, 12, 31), 1),
        "fay": ("SAND", date(2025, 3, 10), 1),
        "gus": ("SAND", date(2025, 3, 9), 1),
        "firm": ("BRICK", date(2026, 2, 1), 1),
    }
    for (customer, _), reason in offers.items():
        assert reason in (facts[customer], (None, None, None))


def test_every_reason_is_json_and_every_member_has_one_segment_a_scheme(hand: Build) -> None:
    rows = hand.rows("select scheme, member_id, reason from customer_segments")
    assert all(isinstance(json.loads(reason), dict) for *_, reason in rows)
    assert len({(scheme, member) for scheme, member, _ in rows}) == len(rows)
    assert {member for scheme, member, _ in rows if scheme == "life_stage"} == {
        "ann",
        "carl",
        "dora",
        "eve",
        "fay",
        "gus",
        "ida",
    }


def test_a_plain_dbt_build_runs_every_test_where_nothing_was_built_before(hand: Build) -> None:
    """The data tests, and the hand-computed unit tests beside the models."""
    assert re.search(r"[1-9]\d* data tests, [1-9]\d* unit tests", hand.output)
    assert re.search(r"PASS=[1-9]\d* WARN=\d+ ERROR=0 SKIP=0 ", hand.output)


# DuckDB 1.5.6 and 2.0.0 take two intervals in one select as equal: a month becomes 30 days, silently.
_TWO_INTERVALS = """
    select cast(day + interval 30 day as date) as days_later, cast(day + interval 1 month as date) as month_later
    from (select cast(unnest(['2026-01-01', '2026-02-01']) as date) as day) as days
    order by day
"""
_LATER = [("2026-01-31", "2026-02-01"), ("2026-03-03", "2026-03-01")]


def test_dbts_connection_keeps_days_and_months_apart(hand: Build) -> None:
    shown = project.dbt(
        ["--quiet", "show", "--inline", _TWO_INTERVALS, "--output", "json", "--log-format", "text"],
        hand.warehouse,
        hand.target,
        LANDING_DIR=str(hand.warehouse.parent / "landing"),
        STORE_TIMEZONE="America/New_York",
    )
    text = shown.output[shown.output.index("{") : shown.output.rindex("}") + 1]
    rows = json.loads(text)["show"]
    assert [(row["days_later"][:10], row["month_later"][:10]) for row in rows] == _LATER


@pytest.fixture(scope="module")
def profile() -> dict[str, Any]:
    text = (project.ROOT / "profiles" / "profiles.yml").read_text(encoding="utf-8")
    duckdb_target: dict[str, Any] = yaml.safe_load(text)["segments_in_use"]["outputs"]["duckdb"]
    return duckdb_target


def test_profile_switches_the_faulty_optimizer_off_for_every_connection(profile: dict[str, Any]) -> None:
    with duckdb.connect(config=profile["config_options"]) as con, con.cursor() as another:
        assert [(str(days), str(month)) for days, month in another.sql(_TWO_INTERVALS).fetchall()] == _LATER


def test_what_dbt_sets_for_each_model_is_set_for_its_connection_alone(profile: dict[str, Any]) -> None:
    """What holds for all connections, set again while another thread plans a statement, ends the process, or is off."""
    with duckdb.connect(config=profile["config_options"]) as con:
        for name, value in profile["settings"].items():
            con.execute(f"set {name} = '{value}'")
            assert con.execute("select scope from duckdb_settings() where name = ?", [name]).fetchone() == ("LOCAL",)
