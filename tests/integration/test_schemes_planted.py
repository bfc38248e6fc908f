"""Superficial and real segments told apart, in a shop where it is known which are which; and the schemes' direction.

400 persons buy for a year. Three attributes say something, nothing, or only what the till knew already:
- settlement is real: those in the country buy three times as often from the day the outcomes begin, and no more before
- gender is superficial: thrown like a coin
- age_band mirrors past spend: mostly the quintile of what was spent before the outcomes begin, and nothing else
"""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from typing import Any

import duckdb
import numpy as np
import pytest

from orchestration.accountability.statistics import kruskal_wallis
from orchestration.publication.account import account_tables
from tests.support import project
from tests.support.project import Build

AS_OF = date(2026, 6, 1)
OUTCOME_START = AS_OF - timedelta(days=90)
FIRST_DAY = OUTCOME_START - timedelta(days=270)
PERSONS = 400
BANDS = ("19-24", "25-34", "35-44", "45-54", "55-64")
# Categories of the seed category_meanings, each in a department of its own: health, indulgence, thrift, family.
CATEGORIES = {"APPLES": "PRODUCE", "BAG SNACKS": "GROCERY", "BLEACH": "HOUSEHOLD", "BABY FOODS": "BABY"}
STEPS = range(11)

Rows = list[dict[str, Any]]


def line(customer: str, day: date, product: str, amount: int, hour: int = 18) -> dict[str, Any]:
    at = datetime.combine(day, time(hour)).isoformat()
    return {
        "order_id": f"{customer}-{day}-{hour}-{product}",
        "customer_id": customer,
        "product_id": product,
        "ordered_at": at,
        "quantity": 1,
        "amount": amount,
    }


def purchases(rng: random.Random, customer: str, first: date, days: int, rate: float, mean: float) -> Rows:
    """One basket on each day with the chance `rate`, of about `mean` in money."""
    return [
        line(
            customer, first + timedelta(days=n), rng.choice(list(CATEGORIES)), max(1, round(rng.expovariate(1 / mean)))
        )
        for n in range(days)
        if rng.random() < rate
    ]


def probes() -> Rows:
    """Members that differ in one thing, step by step: `hour<k>` has k of 10 baskets in the morning; `mix<k>` spends k
    tenths on apples, and the rest on snacks and bleach."""
    lines: Rows = []
    for k in STEPS:
        for n in range(10):
            day = OUTCOME_START + timedelta(days=n)
            lines.append(line(f"hour{k:02d}", day, "BLEACH", 10, hour=8 if n < k else 18))
            rest = "BAG SNACKS" if n % 2 else "BLEACH"
            lines.append(line(f"mix{k:02d}", day, "APPLES" if n < k else rest, 10))
    return lines


def personas() -> list[dict[str, str]]:
    """Rows of the seed."""
    return project.seed_rows("personas")


def zone() -> project.Landing:
    rng = random.Random(20260601)
    customers: Rows = []
    lines: Rows = []
    touchpoints: Rows = []
    past: dict[str, int] = {}
    names = [f"p{n:03d}" for n in range(PERSONS)]
    habits = {name: (rng.uniform(0.03, 0.15), rng.uniform(5, 40)) for name in names}
    for name in names:
        before = purchases(rng, name, FIRST_DAY, 270, *habits[name])
        past[name] = sum(row["amount"] for row in before)
        lines += before
    for name in names:
        quintile = 5 * sum(past[other] < past[name] for other in names) // PERSONS
        settlement = rng.choice(["urban", "suburban", "rural"])
        rate, mean = habits[name]
        lines += purchases(rng, name, OUTCOME_START, 90, rate * (3 if settlement == "rural" else 1), mean)
        customers.append(
            {
                "customer_id": name,
                "gender": rng.choice(["female", "male"]),
                "settlement": settlement,
                "age_band": BANDS[quintile] if rng.random() < 0.8 else rng.choice(BANDS),
            }
        )
        touchpoints.append(
            {
                "touchpoint_id": f"t-{name}",
                "customer_id": name,
                "touched_at": datetime.combine(OUTCOME_START, time(9)).isoformat(),
                "channel": "mail",
            }
        )
    # Members without a gender are of the rest that a segment is compared with: the probes get one too.
    probe_names = sorted({row["customer_id"] for row in probes()})
    customers += [{"customer_id": name, "gender": ("female", "male")[n % 2]} for n, name in enumerate(probe_names)]
    # Customers with the profiles of the personas, and no orders.
    customers += [
        {
            "customer_id": row.pop("persona_id"),
            **{name: value or None for name, value in row.items() if name != "description"},
        }
        for row in personas()
    ]
    products = [
        {"product_id": category, "department": department, "category": category}
        for category, department in CATEGORIES.items()
    ]
    return {
        "customers": customers,
        "order_lines": lines + probes(),
        "products": products,
        "touchpoints": touchpoints,
        "prospects": [
            {
                "prospect_id": "elder",
                "age_band": "65+",
                "settlement": "rural",
                "marital_status": "Married",
                "children": 0,
            },
            {"prospect_id": "stranger", "source": "fair"},
        ],
    }


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Build:
    tmp = tmp_path_factory.mktemp("planted")
    return project.build(project.write_landing(tmp / "landing", zone()), tmp, as_of=AS_OF.isoformat())


@pytest.fixture(scope="module")
def account(planted: Build) -> dict[str, list[dict[str, Any]]]:
    with duckdb.connect(str(planted.file), read_only=True) as con:
        return {name: table.to_pylist() for name, table in account_tables(con, AS_OF).items()}


def verdict(account: dict[str, list[dict[str, Any]]], scheme: str) -> dict[str, Any]:
    (row,) = [row for row in account["scheme_scorecard"] if row["scheme"] == scheme]
    return row


def behaviour(account: dict[str, list[dict[str, Any]]], scheme: str, outcome: str) -> dict[str, Any]:
    (row,) = [r for r in account["segment_behaviour"] if (r["scheme"], r["outcome"]) == (scheme, outcome)]
    return row


# ---- superficial or real ---------------------------------------------------------------------------------------------


def test_an_attribute_without_effect_is_superficial_where_the_data_would_have_shown_one(
    account: dict[str, list[dict[str, Any]]], planted: Build
) -> None:
    """400 members would show an effect of a tenth, and not one of 3 % (var superficial_effect)."""
    assert verdict(account, "gender")["verdict"] == "unproven"
    with duckdb.connect(str(planted.file), read_only=True) as con:
        con.execute(
            "create temp view refresh_settings as"
            " select * replace (cast(0.1 as double) as superficial_effect) from warehouse.main.refresh_settings"
        )
        large = {name: table.to_pylist() for name, table in account_tables(con, AS_OF).items()}
    assert verdict(large, "gender")["verdict"] == "superficial"
    assert verdict(large, "location")["verdict"] != "superficial"


def test_an_attribute_with_effect_is_not_superficial_and_acts_beyond_past_spend(
    account: dict[str, list[dict[str, Any]]],
) -> None:
    assert verdict(account, "location")["verdict"] != "superficial"
    assert verdict(account, "location")["behaviour_outcome"] == "orders"
    orders = behaviour(account, "location", "orders")
    assert orders["effect"] > 0.1
    assert orders["effect_beyond_spend"] > 0.1
    assert orders["q_value_beyond_spend"] < 0.001


def test_an_attribute_that_mirrors_past_spend_differs_but_not_beyond_it(
    account: dict[str, list[dict[str, Any]]],
) -> None:
    spend = behaviour(account, "age_band", "spend")
    assert spend["q_value"] < 0.001
    assert spend["effect"] > 0.1
    # Not 0: of 400 members and 20 degrees of freedom, chance alone makes up to 0.03 (two standard errors).
    assert spend["effect_beyond_spend"] < 0.03
    assert spend["q_value_beyond_spend"] > 0.05


def test_random_labels_are_called_different_at_the_tests_error_rate(planted: Build) -> None:
    """The labels of `gender` dealt again 1,000 times: 5 % of the p-values below 0.05, within 4 standard errors."""
    members = planted.frame("select segment, spend from behaviour_members where scheme = 'gender' order by member_id")
    labels = np.asarray(members["segment"] == "female", dtype=np.int64)
    spend = members["spend"].to_numpy(dtype=np.float64)
    rng = np.random.default_rng(7)
    p_values = [kruskal_wallis(spend, rng.permutation(labels)).p_value for _ in range(1_000)]
    below = np.mean([p is not None and p < 0.05 for p in p_values])
    assert below == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 1_000))


def test_nothing_is_a_gap_of_an_attribute_without_effect(account: dict[str, list[dict[str, Any]]]) -> None:
    gaps = [row for row in account["occasion_matrix"] if row["scheme"] == "gender" and row["is_gap"]]
    assert gaps == []


# ---- exclusive and exhaustive ----------------------------------------------------------------------------------------


def test_every_person_is_in_every_scheme_of_persons_once_on_every_date(planted: Build) -> None:
    uneven = planted.rows(
        """
        select members.as_of, members.customer_id, schemes.scheme, count(memberships.segment)
        from int_members as members
        cross join segment_schemes as schemes
        left join int_memberships as memberships
            on members.as_of = memberships.as_of and members.customer_id = memberships.member_id
            and schemes.scheme = memberships.scheme
        where members.kind = 'person' and schemes.is_active and schemes.audience like '%person%'
        group by all having count(memberships.segment) <> 1
        """
    )
    assert uneven == []


def test_thirteen_schemes_divide_persons(planted: Build) -> None:
    assert planted.value("select count(distinct scheme) from customer_segments") >= 13


def test_prospects_of_a_shop_of_persons_are_near_a_persona_or_told_why_not(
    account: dict[str, list[dict[str, Any]]],
) -> None:
    found = {
        row["prospect_id"]: (row["scheme"], row["persona_id"], row["outcome"]) for row in account["prospect_segments"]
    }
    # Five customers alone have a life stage here: too few to learn it from.
    assert found == {
        "elder": ("life_stage", "country_grandparents", "nothing in common"),
        "stranger": ("life_stage", None, "says nothing"),
    }
    near = {row["persona_id"]: row["prospects_near"] for row in account["prospect_personas"]}
    assert near["country_grandparents"] == 1 and sum(near.values()) == 1


# ---- personas --------------------------------------------------------------------------------------------------------


def test_a_persona_has_the_segments_of_a_customer_with_the_same_profile(planted: Build) -> None:
    described = planted.rows("select scheme, persona_id, segment, evidence from persona_segments order by all")
    divided = planted.rows(
        """select scheme, member_id, segment, evidence from customer_segments
        where member_id in (select persona_id from personas) and scheme in (select scheme from persona_segments)
        order by all"""
    )
    assert described == divided
    assert len(described) == 5 * len(personas())


# ---- direction -------------------------------------------------------------------------------------------------------


def steps(build: Build, scheme: str, probe: str) -> list[str]:
    """Segments of the probes of one kind, from the first step to the last."""
    return [
        segment
        for (segment,) in build.rows(
            f"""select segment from customer_segments where scheme = '{scheme}' and member_id like '{probe}__'
            order by member_id"""
        )
    ]


@pytest.mark.parametrize(
    ("scheme", "probe", "towards"),
    [
        ("occasion", "hour", "breakfast"),
        ("spend_structure", "mix", "produce"),
        ("lifestyle", "mix", "health"),
        ("job_to_be_done", "mix", "look_after_myself"),
    ],
)
def test_more_of_a_thing_never_leads_away_from_its_segment(
    planted: Build, scheme: str, probe: str, towards: str
) -> None:
    reached = [segment == towards for segment in steps(planted, scheme, probe)]
    assert len(reached) == len(STEPS)
    assert not reached[0]
    assert reached[-1]
    assert reached == sorted(reached)


def test_a_department_dominates_from_four_tenths_on(planted: Build) -> None:
    assert steps(planted, "spend_structure", "mix")[4:] == ["produce"] * 7


def test_an_occasion_dominates_from_half_on_and_ties_go_to_the_first_in_the_alphabet(planted: Build) -> None:
    assert steps(planted, "occasion", "hour") == ["dinner"] * 5 + ["breakfast"] * 6
