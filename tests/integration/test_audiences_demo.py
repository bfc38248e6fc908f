"""The demo, which has no consents: everyone is assigned, nobody is addressed, and both are published and remembered."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from scipy import stats

pytestmark = pytest.mark.demo


@pytest.fixture(scope="module")
def published(demo_refresh: Path) -> Path:
    return (demo_refresh / "published").resolve()


def rows(published: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(published / "segments.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_every_scheme_holds_out_the_share_that_was_asked_for(published: Path) -> None:
    found = rows(
        published,
        "select scheme, share_treated, count(*) filter (where arm = 'treated'), count(*) from treatment_assignments"
        " where arm <> 'programme' group by all",
    )
    assert len({scheme for scheme, *_ in found}) >= 4
    for scheme, share, treated, members in found:
        assert stats.binomtest(treated, members, share).pvalue > 1e-5, (scheme, share, treated, members)


def test_without_consents_nobody_is_addressed_and_every_decision_says_why(published: Path) -> None:
    assert rows(published, "select count(*) from audiences") == [(0,)]
    outcomes = {outcome for (outcome,) in rows(published, "select outcome from audience_decisions")}
    assert {"holdout", "no consent"} <= outcomes <= {"holdout", "no consent", "no channel", "programme"}
    summary = json.loads((published / "audiences" / "summary.json").read_text())
    assert (summary["is_demo"], summary["sent"]) == (True, 0)
    counted = rows(published, "select count(*) from audience_decisions")[0][0]
    assert sum(summary["dropped_by_reason"].values()) == counted > 1000


def test_members_who_could_not_be_addressed_are_no_experiment(published: Path) -> None:
    assert rows(published, "select count(*) from treatment_assignments where is_eligible") == [(0,)]


def test_what_is_published_is_remembered_as_the_demos(demo_refresh: Path, published: Path) -> None:
    state = pq.read_table(demo_refresh / "state" / "treatment_assignments.parquet").to_pylist()
    key = ("scheme", "member_id", "treatment_id", "arm")
    found = set(rows(published, f"select {', '.join(key)} from treatment_assignments"))
    assert {tuple(row[c] for c in key) for row in state if row["is_demo"]} == found


def test_a_small_part_gets_the_one_treatment_for_all_and_another_nothing_of_any_scheme(published: Path) -> None:
    ((members, out),) = rows(
        published,
        "select count(distinct member_id), count(distinct member_id) filter (where arm = 'programme')"
        " from treatment_assignments",
    )
    assert stats.binomtest(out, members, 0.02).pvalue > 1e-4
    mixed = "select member_id from treatment_assignments group by 1 having count(distinct arm = 'programme') > 1"
    assert rows(published, mixed) == []
    ((uniform, drawn),) = rows(
        published,
        "select count(*) filter (where arm = 'uniform'), count(*) from treatment_assignments"
        " where scheme = 'rfm' and arm <> 'programme'",
    )
    assert stats.binomtest(uniform, drawn, 0.03).pvalue > 1e-4
    sent = "select distinct scheme, sends_treatment_id from treatment_assignments where arm = 'uniform'"
    assert rows(published, sent) == [("rfm", "rfm_loyal_customers")]
