"""RFM where it is hard: everybody equal, half equal, one alone; who came back; a young shop.

Belongs here: scores and segments of customers that tie, and what a shop that RFM cannot divide is told.
Does not belong here: the demo's scores (test_oracle_rfm.py), single rows by hand (the models' unit tests).
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import project
from tests.support.project import ROOT, Build

AS_OF = date(2026, 1, 31)
WINDOW = 365
# The contract's grid: recency scores, frequency scores, segment; a first basket before the window where it matters.
GRID = [
    ("5", "45", None, "champions"),
    ("34", "45", None, "loyal_customers"),
    ("4", "45", None, "loyal_customers"),
    ("45", "23", None, "potential_loyalists"),
    ("5", "1", False, "new_customers"),
    ("4", "1", False, "promising"),
    ("45", "1", True, "returning_customers"),
    ("3", "3", None, "need_attention"),
    ("12", "5", None, "cant_lose"),
    ("12", "34", None, "at_risk"),
    ("3", "12", None, "about_to_sleep"),
    ("12", "12", None, "hibernating"),
]


@dataclass(frozen=True)
class Buyer:
    """Days since the last basket and since the first one; baskets and money in the window."""

    recency_days: int
    frequency: int
    monetary: int
    first_days: int
    kind: str = "person"


Scores = tuple[int, int, int]


def expected_scores(buyers: Sequence[Buyer]) -> list[Scores]:
    """The contract's words, in fractions."""

    def score(buyer: Buyer, goodness: Callable[[Buyer], int], best_of_equals: bool) -> int:
        peers = [other for other in buyers if other.kind == buyer.kind and other.frequency > 0]
        order = sorted(goodness(other) for other in peers)
        places = [place for place, value in enumerate(order, start=1) if value == goodness(buyer)]
        place = Fraction(places[-1] if best_of_equals else Fraction(sum(places), len(places)))
        return 1 + floor(5 * (place - Fraction(1, 2)) / len(peers))

    found = []
    for buyer in buyers:
        if buyer.frequency == 0:
            found.append((1, 1, 1))
            continue
        frequency = 1 if buyer.frequency == 1 else score(buyer, lambda b: b.frequency, False)
        found.append(
            (score(buyer, lambda b: -b.recency_days, True), frequency, score(buyer, lambda b: b.monetary, False))
        )
    return found


def expected_segment(scores: Scores, buyer: Buyer) -> str:
    recency, frequency = str(scores[0]), str(scores[1])
    is_earlier = buyer.first_days > WINDOW
    found = {
        segment
        for recencies, frequencies, earlier, segment in GRID
        if recency in recencies and frequency in frequencies and earlier in (None, is_earlier)
    }
    assert len(found) == 1
    return found.pop()


class Models:
    """int_rfm_scores and rfm as dbt compiled them, over tables that a test fills."""

    def __init__(self, target: Path) -> None:
        folder = target / "compiled" / "segments_in_use" / "models"
        self.scores = next(folder.rglob("int_rfm_scores.sql")).read_text(encoding="utf-8")
        self.segments = (folder / "marts" / "segments" / "schemes" / "rfm.sql").read_text(encoding="utf-8")
        self.con = duckdb.connect()
        self.con.execute(
            """
            attach ':memory:' as warehouse;
            use warehouse;
            create table int_fact_dates (as_of date, window_start_on date, made_from ubigint);
            create table int_buyer_features (
                as_of date, customer_id varchar, kind varchar, first_basket_on date, recency_days integer,
                frequency bigint, monetary decimal(18, 4)
            );
            create table rfm_grid
                (recency_score integer, frequency_score integer, first_basket varchar, segment varchar);
            """
        )
        with (ROOT / "seeds" / "rfm_grid.csv").open(encoding="utf-8", newline="") as file:
            rows = [tuple(row) for row in csv.reader(file)][1:]
        self.con.executemany("insert into rfm_grid values (?, ?, ?, ?)", rows)

    def run(self, *shops: Sequence[Buyer], as_of: date = AS_OF) -> list[list[tuple[Scores, str]]]:
        """Scores and segment of each buyer of each shop; the shops are as-of dates, a day apart."""
        self.con.execute(
            "delete from int_fact_dates; delete from int_buyer_features; drop table if exists int_rfm_scores"
        )
        dates = [as_of + timedelta(days=number) for number in range(len(shops))]
        self.con.executemany(
            "insert into int_fact_dates values (?, ?, 1)", [(day, day - timedelta(days=WINDOW)) for day in dates]
        )
        rows = [
            (day, f"c{place:04}", b.kind, day - timedelta(days=b.first_days), b.recency_days, b.frequency, b.monetary)
            for day, shop in zip(dates, shops, strict=True)
            for place, b in enumerate(shop)
        ]
        self.con.executemany("insert into int_buyer_features values (?, ?, ?, ?, ?, ?, ?)", rows)
        self.con.execute(f"create table int_rfm_scores as {self.scores}")
        found = self.con.execute(
            f"""
            select scores.as_of, recency_score, frequency_score, monetary_score, segment
            from int_rfm_scores as scores
            inner join ({self.segments}) as rfm on scores.as_of = rfm.as_of and scores.customer_id = rfm.member_id
            order by scores.as_of, scores.customer_id
            """
        ).fetchall()
        assert len(found) == len(rows)
        return [[((r, f, m), segment) for day, r, f, m, segment in found if day == own] for own in dates]

    def scored(self, buyers: Sequence[Buyer]) -> list[Scores]:
        [shop] = self.run(buyers)
        return [scores for scores, _ in shop]


@st.composite
def buyers(draw: st.DrawFn) -> Buyer:
    """Few different values, so that many tie; one in some bought before the window only."""
    kind = draw(st.sampled_from(["person", "person", "company"]))
    if draw(st.integers(0, 5)) == 0:
        days = draw(st.integers(WINDOW + 1, WINDOW + 3))
        return Buyer(days, 0, 0, draw(st.integers(days, 900)), kind)
    recency = draw(st.integers(1, 5))
    first = draw(st.sampled_from([recency, WINDOW - 1, WINDOW, WINDOW + 1, 900]))
    return Buyer(recency, draw(st.integers(1, 4)), draw(st.integers(-1, 4)), max(first, recency), kind)


SHOPS = st.lists(buyers(), min_size=1, max_size=40)
PROPERTY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def line(order: str, customer: str, day: date, product: str = "box", amount: int = 29) -> dict[str, Any]:
    moment = datetime.combine(day, datetime.min.time()) + timedelta(hours=10)
    return {
        "order_id": order,
        "customer_id": customer,
        "product_id": product,
        "ordered_at": f"{moment.isoformat()}Z",
        "quantity": 1,
        "amount": amount,
    }


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[project.Landing], Build]:
    def build(tables: project.Landing) -> Build:
        folder = tmp_path_factory.mktemp("rfm")
        landing = project.write_landing(folder / "landing", tables)
        selected = ["--select", "+customer_profiles", "+segments", "+schemes"]
        return project.build(landing, folder, arguments=selected)

    return build


@pytest.fixture(scope="module")
def subscribers(make: Callable[[project.Landing], Build]) -> Build:
    """Six subscribers, a box every 30 days, the last one yesterday; there is nothing but boxes."""
    lines = [
        line(f"{customer}-{box}", f"s{customer}", AS_OF - timedelta(days=1 + 30 * box))
        for customer in range(6)
        for box in range(11)
    ]
    return make({"order_lines": lines, "products": [{"product_id": "box", "department": "D", "category": "BOXES"}]})


@pytest.fixture(scope="module")
def winter_shop(make: Callable[[project.Landing], Build], subscribers: Build) -> Build:
    """Forty customers with four baskets each; a veteran of two years ago and a newcomer bought yesterday."""
    rng = random.Random(5)
    lines = [
        line(f"{customer}-{n}", f"r{customer:02}", AS_OF - timedelta(days=20 + 6 * customer + 7 * n), product)
        for customer in range(40)
        for n in range(4)
        for product in rng.sample(["bread", "salt", "gloves"], 2)
    ]
    yesterday = AS_OF - timedelta(days=1)
    lines += [line("v1", "veteran", AS_OF - timedelta(days=700), "salt"), line("v2", "veteran", yesterday, "salt")]
    lines += [line("n1", "newcomer", yesterday, "salt")]
    # In the window by one day, and out of it by one.
    lines += [line("e1", "edge", AS_OF - timedelta(days=WINDOW), "salt"), line("e2", "edge", yesterday, "salt")]
    lines += [line("p1", "past", AS_OF - timedelta(days=WINDOW + 1), "salt")]
    products = [{"product_id": name, "department": "D", "category": name} for name in ("bread", "salt", "gloves")]
    customers = [
        {"customer_id": "veteran", "country": "Österreich"},
        {"customer_id": "newcomer", "country": "Österreich", "region": "Tirol"},
        {"customer_id": "edge", "country": "Österreich", "settlement": "rural"},
    ]
    companies = [{"company_id": "firm", "country": "Suisse"}]
    return make({"order_lines": lines, "products": products, "customers": customers, "companies": companies})


@pytest.fixture(scope="module")
def models(subscribers: Build) -> Models:
    return Models(subscribers.target)


# ---- scores ----------------------------------------------------------------------------------------------------------


@PROPERTY
@given(shops=st.lists(SHOPS, min_size=1, max_size=3))
def test_scores_and_segments_are_the_contracts(models: Models, shops: list[list[Buyer]]) -> None:
    for shop, found in zip(shops, models.run(*shops), strict=True):
        scores = expected_scores(shop)
        segments = [expected_segment(own, buyer) for own, buyer in zip(scores, shop, strict=True)]
        assert found == list(zip(scores, segments, strict=True))


@PROPERTY
@given(shop=SHOPS, seed=st.randoms(use_true_random=False))
def test_the_order_of_customers_decides_nothing(models: Models, shop: list[Buyer], seed: random.Random) -> None:
    order = list(range(len(shop)))
    seed.shuffle(order)
    found, shuffled = models.run(shop, [shop[place] for place in order])
    assert [found[place] for place in order] == shuffled


@PROPERTY
@given(shop=SHOPS, days=st.integers(-400, 400))
def test_scores_do_not_depend_on_the_calendar(models: Models, shop: list[Buyer], days: int) -> None:
    assert models.run(shop) == models.run(shop, as_of=AS_OF + timedelta(days=days))


@PROPERTY
@given(shop=SHOPS, place=st.integers(0, 39), better=st.integers(1, 4))
def test_who_does_better_never_scores_lower(models: Models, shop: list[Buyer], place: int, better: int) -> None:
    own = place % len(shop)
    buyer = shop[own]
    if buyer.frequency == 0:
        return
    changed = [
        buyer,
        replace(buyer, recency_days=max(1, buyer.recency_days - better)),
        replace(buyer, frequency=buyer.frequency + better),
        replace(buyer, monetary=buyer.monetary + better),
    ]
    found = models.run(*([*shop[:own], other, *shop[own + 1 :]] for other in changed))
    before, *others = [rows[own][0] for rows in found]
    for score, after in enumerate(others):
        assert after[score] >= before[score]
        assert [after[i] for i in range(3) if i != score] == [before[i] for i in range(3) if i != score]


@pytest.mark.parametrize(
    ("shop", "expected"),
    [
        # Everybody equal: 1 + floor(5 x (n - 1/2) / n) and 1 + floor(5 / 2).
        ([Buyer(1, 12, 60, 30)] * 120, [(5, 3, 3)] * 120),
        # One alone stands in the middle of itself; of two, the better place is 3/4 of the way.
        ([Buyer(1, 12, 60, 30)], [(3, 3, 3)]),
        ([Buyer(1, 12, 60, 30)] * 2, [(4, 3, 3)] * 2),
        # One basket is frequency 1, however many have one.
        ([Buyer(3, 1, 9, 3)] * 10, [(5, 1, 3)] * 10),
        # Half equal: the five late ones share place 5 (1 + floor(5 x 4.5 / 10)), and place 3 for frequency and money.
        (
            [Buyer(9, 2, 1, 30)] * 5 + [Buyer(days, 10 - days, 10 - days, 30) for days in (5, 4, 3, 2, 1)],
            [(3, 2, 2)] * 5 + [(3, 3, 3), (4, 4, 4), (4, 4, 4), (5, 5, 5), (5, 5, 5)],
        ),
        # One alone before a crowd of nine: the crowd is best by recency and in the middle by the rest.
        ([Buyer(50, 2, 1, 60)] + [Buyer(1, 4, 8, 60)] * 9, [(1, 1, 1)] + [(5, 3, 3)] * 9),
    ],
    ids=["all equal", "alone", "two equal", "one basket each", "half equal", "one behind a crowd"],
)
def test_ties_by_hand(models: Models, shop: list[Buyer], expected: list[Scores]) -> None:
    assert models.scored(shop) == expected


# ---- shops that RFM cannot divide ------------------------------------------------------------------------------------


def test_equal_subscribers_of_yesterday_are_potential_loyalists_and_nobody_hibernates(subscribers: Build) -> None:
    assert subscribers.rows(
        "select recency_score, frequency_score, monetary_score, rfm, count(*) from customer_profiles group by all"
    ) == [(5, 3, 3, "potential_loyalists", 6)]


def test_one_category_for_all_is_nobodys_interest(subscribers: Build) -> None:
    assert subscribers.rows("select distinct category_interest from customer_profiles") == [("unknown",)]
    assert subscribers.rows("select segment from segments where scheme = 'category_interest'") == [("unknown",)]


def test_a_young_shop_whose_customers_tie_is_told_both_and_what_to_do(subscribers: Build) -> None:
    caution = subscribers.value("select caution from segment_schemes where scheme = 'rfm'")
    assert "The oldest order is 301 days old, and scores look back 365 days (behaviour_window_days)" in caution
    assert "RFM tells nobody apart: all 6 members whose segment is known are in one, Potential loyalists." in caution
    assert "Land older orders" in caution and "segment_schemes.csv" in caution


def test_definitions_name_todays_days_and_baskets(subscribers: Build, winter_shop: Build) -> None:
    ask = "select segment, definition from segments where scheme = 'rfm' and segment <> 'unknown'"
    young, old = subscribers.mapping(ask), winter_shop.mapping(ask)
    assert young["potential_loyalists"].endswith("Today: last bought 1 day ago, in 11 baskets of the last 365 days.")
    assert young["hibernating"].endswith("Today: nobody has such scores.")
    # Of 43 the places from 35 on are R5: the three of yesterday, and the regulars up to 20 + 5 x 6 days. F1: the two of
    # one basket, and `edge` at place 3.
    assert old["new_customers"].endswith("Today: last bought 1 to 50 days ago, in 1 to 2 baskets of the last 365 days.")


# ---- who came back ---------------------------------------------------------------------------------------------------


def test_a_customer_of_before_the_window_who_came_back_is_no_new_customer(winter_shop: Build) -> None:
    found = winter_shop.mapping("select customer_id, rfm from customer_profiles where kind = 'person'")
    assert found["veteran"] == "returning_customers"
    assert found["newcomer"] == found["edge"] == "new_customers"
    assert found["past"] == "hibernating"


def test_a_shop_older_than_the_window_needs_no_caution(winter_shop: Build) -> None:
    assert winter_shop.value("select caution from segment_schemes where scheme = 'rfm'") is None


def test_no_definition_says_that_frequent_buyers_hardly_bought(winter_shop: Build) -> None:
    texts = [text for (text,) in winter_shop.rows("select definition from segments where scheme = 'rfm'")]
    assert not [text for text in texts if "hardly" in text or "once" in text]


# ---- places ----------------------------------------------------------------------------------------------------------


def test_location_falls_back_to_the_country_for_persons_and_companies(winter_shop: Build) -> None:
    found = winter_shop.mapping(
        """
        select members.member_id, members.segment, segments.label, members.evidence
        from customer_segments as members
        inner join segments on members.scheme = segments.scheme and members.segment = segments.segment
        where members.scheme = 'location' and members.segment <> 'unknown'
        """
    )
    assert found == {
        "veteran": ("österreich", "Österreich", "declared"),
        "newcomer": ("tirol", "Tirol", "declared"),
        "edge": ("rural", "Rural", "declared"),
        "firm": ("suisse", "Suisse", "declared"),
    }
