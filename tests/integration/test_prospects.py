"""Prospects of a shop that sells to companies only, from landing to the published file, with every odd row."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from orchestration.audit.runner import run_rules
from orchestration.audit.suites import CANDIDATE, STAGING
from orchestration.publication.account import account_tables
from orchestration.publication.candidate import write_candidate
from orchestration.publication.ddl import published_tables
from orchestration.storage.versions import DATABASE_NAME
from tests.support import project
from tests.support.project import Build

AS_OF = date(2026, 3, 2)
COMPANIES = 160
TABLES = ("prospect_segments", "prospect_models", "prospect_personas")
SECRET = "Ms Nobody Must-Know"

PROSPECTS: list[dict[str, Any]] = [
    {
        "prospect_id": "workshop",
        "kind": "Firma",
        "source": "fair",
        "employees": 4,
        "industry": "Bau",
        "full_name": SECRET,
    },
    {"prospect_id": "group", "employees": 2600, "industry": "Retail"},
    {"prospect_id": "rich", "kind": "company", "annual_revenue": 900000000},
    # Odd: nothing said, an impossible number, texts of 500 signs, a person in a shop of companies, a customer.
    {"prospect_id": "bare"},
    {"prospect_id": "bare firm", "kind": "b2b", "employees": -1},
    {"prospect_id": "🙂" * 20, "kind": "🙂" * 500, "region": "x" * 500, "company_name": "🙂"},
    {"prospect_id": "person", "kind": "private", "age_band": "25-34", "employment": "student", "household_size": "5+"},
    {"prospect_id": "k000", "employees": 7},
    # One row twice, and two of one key.
    {"prospect_id": "twice", "employees": 5},
    {"prospect_id": "twice", "employees": 5},
    {"prospect_id": "rival", "employees": 5, "updated_at": "2026-01-01T00:00:00"},
    {"prospect_id": "rival", "employees": 900, "updated_at": "2026-02-01T00:00:00"},
]


def zone() -> project.Landing:
    """Companies of one to 1,600 employees, each with one order; one prospect has a contact person who consented."""
    companies = [
        {
            "company_id": f"k{n:03d}",
            "employees": (size := round(1.047**n)),
            "industry": ("Bau", "Retail", "IT")[n % 3],
            "annual_revenue": size * 200_000 + n,
        }
        for n in range(COMPANIES)
    ]
    lines = [
        {
            "order_id": f"o{n}",
            "customer_id": f"k{n:03d}",
            "product_id": "brick",
            "ordered_at": (datetime(2026, 1, 5, 12) + timedelta(days=n % 50)).isoformat(),
            "quantity": 1,
            "amount": 10 + n % 7,
        }
        for n in range(COMPANIES)
    ]
    consents = [
        {"customer_id": who, "channel": channel, "opted_in": "yes", "recorded_at": "2026-01-02T10:00:00"}
        for who in ("scout", "group", "person")
        for channel in ("phone", "visit", "email", "mail", "app")
    ]
    return {
        "order_lines": lines,
        "products": [{"product_id": "brick", "department": "BUILDING", "category": "BRICKS"}],
        "companies": companies,
        "company_contacts": [{"person_id": "scout", "company_id": "workshop", "job_title": "Owner"}],
        "consents": consents,
        "prospects": PROSPECTS,
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    tmp = tmp_path_factory.mktemp("prospects")
    return project.build(
        project.write_landing(tmp / "landing", zone()), tmp, as_of=AS_OF.isoformat(), SEEDS_DIR="", SEEDS_PATH=""
    )


@pytest.fixture(scope="module")
def account(built: Build) -> dict[str, pa.Table]:
    with duckdb.connect(str(built.file), read_only=True) as con:
        return account_tables(con, AS_OF)


@pytest.fixture(scope="module")
def candidate(built: Build, account: dict[str, pa.Table], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of prospects, written with their keys and checks."""
    manifest = json.loads((built.target / "manifest.json").read_text(encoding="utf-8"))
    tables = {name: table for name, table in published_tables(manifest).items() if name in TABLES}
    folder = tmp_path_factory.mktemp("candidate") / "c"
    with duckdb.connect() as con:
        write_candidate(con, folder, tables, account)
    return folder


@pytest.fixture(scope="module")
def prospects(account: dict[str, pa.Table]) -> dict[str, dict[str, Any]]:
    return {row["prospect_id"]: row for row in account["prospect_segments"].to_pylist()}


def test_companies_only_are_published(candidate: Path, prospects: dict[str, dict[str, Any]]) -> None:
    with duckdb.connect(str(candidate / DATABASE_NAME), read_only=True) as con:
        rows = con.execute("select prospect_id, segment from prospect_segments").fetchall()
        comments = con.execute(
            "select count(*) from duckdb_columns() where not internal and comment is null"
        ).fetchone()
    assert dict(rows) == {name: row["segment"] for name, row in prospects.items()}
    assert comments == (0,)


def test_every_prospect_is_staged_once_and_scored_or_told_why_not(
    built: Build, prospects: dict[str, dict[str, Any]]
) -> None:
    assert set(prospects) == {row["prospect_id"] for row in PROSPECTS}
    assert {name: (row["kind"], row["segment"], row["outcome"]) for name, row in prospects.items()} == {
        "workshop": ("company", "small", "scored"),
        "group": ("company", "large", "scored"),
        "rich": ("company", "large", "scored"),
        "twice": ("company", "small", "scored"),
        "rival": ("company", "large", "scored"),
        "k000": ("company", "small", "scored"),
        "bare": ("person", "unknown", "says nothing"),
        "bare firm": ("company", "unknown", "says nothing"),
        "🙂" * 20: ("company", "unknown", "nothing in common"),
        "person": ("person", "unknown", "nothing in common"),
    }
    assert built.rows(
        "select rows_landed, rows_staged, rows_quarantined, rows_duplicate from row_account"
        " where source_table = 'prospects'"
    ) == [(12, 10, 1, 1)]


def test_a_company_is_addressed_by_its_contact_person_and_never_by_itself(prospects: dict[str, dict[str, Any]]) -> None:
    assert (prospects["workshop"]["permission"], prospects["workshop"]["is_contactable"]) == ("consent", True)
    assert prospects["workshop"]["person_id"] == "scout"
    assert (prospects["group"]["permission"], prospects["group"]["is_contactable"]) == ("no contact person", False)


def test_prospects_are_in_no_audience_and_no_scheme_of_customers(built: Build) -> None:
    staged = "select prospect_id from stg_prospects where prospect_id <> 'k000'"
    assert built.value(f"select count(*) from audiences where member_id in ({staged})") == 0
    assert built.value(f"select count(*) from customer_segments where member_id in ({staged})") == 0
    assert built.value("select count(*) from customer_segments where member_id = 'scout'") == 0, "a prospect's contact"
    assert built.value("select count(*) from treatment_assignments where member_id = 'scout'") == 0


def test_the_scorecard_counts_prospects(account: dict[str, pa.Table]) -> None:
    (card,) = [row for row in account["scheme_scorecard"].to_pylist() if row["scheme"] == "prospect_persona"]
    assert (card["members"], card["coverage"], card["verdict"]) == (6, 0.6, "unproven")


def test_warnings_count_what_is_odd_with_the_next_step(built: Build, candidate: Path) -> None:
    rules = {rule.id: rule for rule in (*STAGING, *CANDIDATE)}
    (customers,) = run_rules(built.file, [rules["prospects_are_no_customers"]])
    assert customers.message.startswith("1 of 10 prospects have the id of a customer (k000)")
    (known,) = run_rules(built.file, [rules["touched_customers_are_known"]])
    (contacts,) = run_rules(built.file, [rules["contacts_belong_to_a_company"]])
    assert known.passed and contacts.passed
    (scored,) = run_rules(candidate / DATABASE_NAME, [rules["prospects_have_a_segment"]])
    assert scored.message == (
        "person: 2 of 2 prospects have no segment of life_stage (1 nothing in common, 1 says nothing): "
        "docs/prospects.md says what helps against each"
    )
    spelled = "select spelling from unmapped_spellings where source_table = 'prospects' and attribute = 'kind'"
    assert built.rows(spelled) == [("🙂" * 500,)]


def test_personal_data_is_nowhere(account: dict[str, pa.Table]) -> None:
    assert SECRET not in str([account[name].to_pylist() for name in TABLES])


def test_personas_have_a_segment_before_anybody_like_them_is_a_customer(account: dict[str, pa.Table]) -> None:
    found = {row["persona_id"]: (row["scheme"], row["segment"]) for row in account["prospect_personas"].to_pylist()}
    assert found["student_share"] == ("life_stage", "student")
    assert len(found) == 5
