"""Zones in the shape of data that everybody knows, generated: nothing is downloaded.

Belongs here: a randomised e-mail test of two treatments and no e-mail (in the columns of Hillstrom's of 2008, or, with
HILLSTROM_CSV, that test itself; tests/support/email_test.py); a wholesaler of food whose customers are companies (in
the shape of Northwind: 91 companies, a contact with a title each, 830 orders of 77 products). Both in one landing zone,
because neither knows of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb
import numpy as np
import pytest
from scipy import stats

from orchestration.publication.account import account_tables
from tests.support import email_test, project
from tests.support.project import Build

SEED = 20080320
AS_OF = date(2026, 7, 1)
ARMS = ("mens_email", "womens_email", "none")
# Northwind's titles, how many of its 91 customers' contacts have each, and the role that each tells.
CONTACT_TITLES = (
    ("Owner", 17, "signatory"),
    ("Sales Representative", 17, "initiator"),
    ("Marketing Manager", 12, "initiator"),
    ("Sales Manager", 11, "initiator"),
    ("Accounting Manager", 10, "finance"),
    ("Sales Associate", 7, "initiator"),
    ("Marketing Assistant", 6, "unknown"),
    ("Sales Agent", 5, "initiator"),
    ("Order Administrator", 2, "initiator"),
    ("Assistant Sales Agent", 2, "initiator"),
    ("Owner/Marketing Assistant", 1, "signatory"),
    ("Assistant Sales Representative", 1, "initiator"),
)
CATEGORIES = (
    "Beverages",
    "Condiments",
    "Confections",
    "Dairy Products",
    "Grains/Cereals",
    "Meat/Poultry",
    "Produce",
    "Seafood",
)


@dataclass(frozen=True)
class Built:
    """The build, its account by table, and what was generated: arm and spend by customer, titles by contact."""

    build: Build
    account: dict[str, list[dict[str, Any]]]
    arms: dict[str, str]
    spends: dict[str, float]
    titles: dict[str, str]


def wholesaler(rng: np.random.Generator) -> tuple[dict[str, Any], dict[str, str]]:
    """Tables, and the title of each contact. Sizes are not known, as there."""
    titles = [title for title, count, _ in CONTACT_TITLES for _ in range(count)]
    companies = [f"W{n:04d}" for n in range(len(titles))]
    weights = rng.lognormal(0, 0.8, size=len(companies))
    lines = []
    for order in range(830):
        company = companies[int(rng.choice(len(companies), p=weights / weights.sum()))]
        day = date(2024, 7, 4) + timedelta(days=int(order * 725 / 830))
        items = rng.choice(77, size=int(rng.integers(1, 6)), replace=False)
        lines += [
            {
                "order_id": f"w{order}",
                "customer_id": company,
                "product_id": f"nw{item}",
                "ordered_at": str(day),
                "quantity": int(rng.integers(5, 60)),
                "amount": round(float(rng.lognormal(5.5, 0.8)), 2),
            }
            for item in items
        ]
    contacts = [{"person_id": f"c{c}", "company_id": c, "job_title": t} for c, t in zip(companies, titles, strict=True)]
    countries = ("Germany", "USA", "France", "Brazil", "UK", "Mexico", "Spain")
    tables = {
        "order_lines": lines,
        "companies": [{"company_id": c, "country": countries[n % len(countries)]} for n, c in enumerate(companies)],
        "company_contacts": contacts,
        "products": [
            {
                "product_id": f"nw{n}",
                "product_name": f"Product {n}",
                "department": "Food",
                "category": CATEGORIES[n % 8],
            }
            for n in range(77)
        ],
        "consents": [
            {"customer_id": f"c{c}", "channel": "email", "opted_in": True, "recorded_at": "2025-01-02"}
            for c in companies[::2]
        ],
    }
    return tables, {f"c{c}": t for c, t in zip(companies, titles, strict=True)}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    tmp = tmp_path_factory.mktemp("known_shapes")
    rng = np.random.default_rng(SEED)
    given = email_test.given_file()
    rows = email_test.rows_of(given) if given else email_test.generated(rng)
    emails = email_test.landing_of(rows)
    arms = {f"h{n:05d}": email_test.ARMS[row["segment"]] for n, row in enumerate(rows)}
    spends = {f"h{n:05d}": float(row["spend"]) for n, row in enumerate(rows)}
    wholesale, titles = wholesaler(rng)
    for table, rows in wholesale.items():
        emails[table] = [*emails.get(table, []), *rows]
    landing = project.write_landing(tmp / "landing", emails)
    build = project.build(landing, tmp, as_of=AS_OF.isoformat())
    with duckdb.connect(str(build.file), read_only=True) as con:
        account = {name: table.to_pylist() for name, table in account_tables(con, AS_OF).items()}
    return Built(build, account, arms, spends, titles)


# ---- the e-mail test -------------------------------------------------------------------------------------------------


def values(built: Built, arm: str) -> np.ndarray:
    return np.array([built.spends[c] for c, drawn in built.arms.items() if drawn == arm])


@pytest.mark.parametrize("arm", ARMS[:2])
def test_the_difference_of_an_email_is_that_of_the_means(built: Built, arm: str) -> None:
    (row,) = [
        row
        for row in built.account["treatment_outcomes"]
        if (row["experiment_id"], row["scheme"], row["treatment_id"], row["outcome"])
        == ("email_2026", "all", arm, "spend")
    ]
    treated, holdout = values(built, arm), values(built, "none")
    test = stats.ttest_ind(treated, holdout, equal_var=False)
    interval = test.confidence_interval(0.95)
    assert (row["n_treated"], row["n_holdout"], row["is_closed"]) == (len(treated), len(holdout), True)
    assert row["uplift"] == pytest.approx(np.mean(treated) - np.mean(holdout), rel=1e-9)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert row["p_value"] == pytest.approx(test.pvalue, rel=1e-6)
    assert row["net_value"] == pytest.approx(row["uplift"] * row["margin_share"] - email_test.COST, rel=1e-9)


def test_arms_are_held_against_thirds(built: Built) -> None:
    counts = [len(values(built, arm)) for arm in ARMS]
    rows = [row for row in built.account["treatment_outcomes"] if row["experiment_id"] == "email_2026"]
    (p_value,) = {row["srm_p_value"] for row in rows}
    assert p_value == pytest.approx(stats.chisquare(counts).pvalue, rel=1e-9)


def test_telling_mens_from_womens_buyers_pays_and_telling_villages_from_cities_is_not_proven(built: Built) -> None:
    verdicts = {
        row["scheme"]: row for row in built.account["segmentation_dividend"] if row["experiment_id"] == "email_2026"
    }
    for row in verdicts.values():
        if row["verdict"] == "segmenting pays":
            assert row["ci_low"] > 0, row
        elif row["verdict"] in ("one treatment serves all", "nothing pays"):
            assert row["ci_high"] < row["least_dividend"], row
    if email_test.given_file():
        pytest.skip("what tells these customers apart is not known, as it is where they are generated")
    taste, place = verdicts["spend_structure"], verdicts["location"]
    # What was planted: those who buy men's goods lose by the women's e-mail, and the other way round.
    assert taste["dividend"] > 0
    assert taste["verdict"] == "segmenting pays", taste
    # Where somebody lives was drawn by itself, so nothing can be earned by it: anything but that it pays is honest.
    assert place["verdict"] in ("one treatment serves all", "unproven"), place
    assert place["ci_low"] <= 0 <= place["ci_high"]


# ---- the wholesaler --------------------------------------------------------------------------------------------------


def test_contacts_of_the_wholesaler_have_the_roles_that_their_titles_tell(built: Built) -> None:
    roles = {title: role for title, _, role in CONTACT_TITLES}
    found = built.build.mapping("select member_id, segment from customer_segments where scheme = 'buying_role'")
    assert found == {contact: roles[title] for contact, title in built.titles.items()}


def test_committees_of_the_wholesaler_name_whom_they_know_and_what_is_missing(built: Built) -> None:
    rows = built.build.rows("select role, count(*), count(*) filter (is_covered) from company_committees group by 1")
    counts = {role: 0 for role in ("initiator", "department_head", "finance", "signatory")}
    for _, count, role in CONTACT_TITLES:
        if role in counts:
            counts[role] += count
    # A contact a company, and its size not known: whoever owns it holds one role, and nobody heads a department.
    assert {role: (all_of, covered) for role, all_of, covered in rows} == {
        role: (91, covered) for role, covered in counts.items()
    }
    assert built.build.value("select count(*) from company_committees where not is_covered and risk is null") == 0


def test_the_scorecard_of_the_wholesaler_is_honest_about_91_companies(built: Built) -> None:
    cards = {row["scheme"]: row for row in built.account["scheme_scorecard"]}
    assert cards["buying_role"]["members"] == sum(count for _, count, role in CONTACT_TITLES if role != "unknown")
    assert {cards[scheme]["verdict"] for scheme in ("buying_role", "company_size", "industry")} == {"unproven"}
    assert all(cards[scheme]["why"] for scheme in ("buying_role", "company_size", "industry"))
