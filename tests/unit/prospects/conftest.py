"""A small warehouse in memory with the tables that scoring prospects reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pytest

from orchestration.accountability.inputs import RefreshSettings
from orchestration.prospects import prospect_tables

AS_OF = date(2026, 8, 1)
SETTINGS = RefreshSettings(AS_OF, date(2026, 5, 3), 90, 100, 30, 0.03, 0.01, 0.1)
COLUMNS = {
    **dict.fromkeys(
        ("population", "member_id", "kind", "age_band", "gender", "country", "region", "settlement", "household_size"),
        "varchar",
    ),
    **dict.fromkeys(
        ("adults", "has_children", "marital_status", "employment", "income_band", "home_ownership", "industry"),
        "varchar",
    ),
    "employees": "double",
    "annual_revenue": "double",
    "process_maturity": "varchar",
    "benefit_sought": "varchar",
}
Rows = list[dict[str, Any]]


class Shop:
    """Customers with segments, prospects and personas, given as rows; what is not given is null."""

    def __init__(self) -> None:
        self.con = duckdb.connect()
        shape = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        self.con.execute(
            f"""
            create table int_attributes ({shape});
            create table customer_segments (
                scheme varchar, member_id varchar, segment varchar, reason varchar default '{{}}'
            );
            create table segment_schemes as select * from (values
                ('life_stage', 'person', true), ('company_size', 'company', true), ('gender', 'person', true),
                ('rfm', 'person, company', true), ('asleep', 'person', false)
            ) as t(scheme, audience, is_active);
            create table prospect_schemes as select * from (values
                ('person', 'life_stage', 0.5::double, 0.75::double), ('company', 'company_size', 0.5, 0.75)
            ) as t(kind, scheme, min_score, min_persona_share);
            create table protected_attributes as select * from (values ('gender', true), ('age_band', false))
                as t(attribute, is_forbidden);
            create table personas (persona_id varchar, kind varchar, description varchar);
            create table persona_segments (scheme varchar, persona_id varchar, segment varchar, evidence varchar);
            create table treatments as select * from (values
                ('t2', 'life_stage', 'student', 'App', null::date, null::date),
                ('t1', 'life_stage', 'student', 'mail', '2026-08-02', null),
                ('t0', 'life_stage', 'student', 'mail', null, '2026-07-31'),
                ('t3', 'life_stage', 'pensioner', 'mail', '2026-08-01', '2026-08-01')
            ) as t(treatment_id, scheme, segment, channel, valid_from, valid_to);
            create table contact_permissions (
                member_id varchar, channel varchar, permission varchar, person_id varchar
            );
            """
        )

    def say(self, population: str, rows: Iterable[Mapping[str, Any]], kind: str = "person") -> None:
        """Rows of int_attributes."""
        for row in rows:
            given = {"population": population, "kind": kind, **row}
            self.con.execute(
                f"insert into int_attributes ({', '.join(given)}) values ({', '.join('?' * len(given))})",
                list(given.values()),
            )

    def customers(self, scheme: str, rows: Rows, kind: str = "person") -> None:
        """Customers: attributes, and `segment`."""
        self.say("customer", [{k: v for k, v in row.items() if k != "segment"} for row in rows], kind)
        self.con.executemany(
            "insert into customer_segments (scheme, member_id, segment) values (?, ?, ?)",
            [[scheme, r["member_id"], r["segment"]] for r in rows],
        )

    def tables(self) -> dict[str, Rows]:
        return {name: table.to_pylist() for name, table in prospect_tables(self.con, SETTINGS).items()}

    def prospects(self) -> dict[str, dict[str, Any]]:
        return {row["prospect_id"]: row for row in self.tables()["prospect_segments"]}


def households(n: int = 400, seed: int = 1, noise: bool = False) -> Rows:
    """Customers whose segment follows their employment for nine in ten, or nothing at all."""
    rng = np.random.default_rng(seed)
    truth = {"retired": "pensioner", "student": "student", "employed": "couple"}
    rows = []
    for i in range(n):
        employment = str(rng.choice(list(truth)))
        by_truth = not noise and rng.random() < 0.9
        rows.append(
            {
                "member_id": f"c{i}",
                "employment": employment,
                "settlement": str(rng.choice(["urban", "rural"])),
                "gender": str(rng.choice(["female", "male"])),
                "segment": truth[employment] if by_truth else str(rng.choice(["pensioner", "couple", "student"])),
            }
        )
    return rows


def firms(n: int = 300, seed: int = 2) -> Rows:
    """Companies whose size follows their employees."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        employees = float(int(10 ** rng.uniform(0, 3)))
        size = "small" if employees < 50 else "medium" if employees < 250 else "large"
        rows.append(
            {
                "member_id": f"k{i}",
                "employees": employees,
                "industry": str(rng.choice(["bau", "retail"])),
                "segment": size,
            }
        )
    return rows


@pytest.fixture
def shop() -> Shop:
    return Shop()
