"""The second demo, a simulated merchant of building materials: what was planted is found, in one small build of it.

Belongs here: planted truth against tables. Does not belong here: how the demo is chosen
(tests/unit/landing/test_merchant.py).
"""

from __future__ import annotations

import csv
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from orchestration.audiences.check import Limits, check_audiences
from orchestration.landing.demo import MERCHANT_STAMP, write_tables
from orchestration.landing.merchant.catalogue import BRICKS, CEMENT, SAND
from orchestration.landing.merchant.generate import ASSIGNED_ON, LAST_DAY, Merchant, Size, make_merchant
from orchestration.landing.merchant.people import EXPERIMENT_ID, HOLDOUT, OFFER_SHARES, OFFERS, ROLES
from orchestration.metrics import prepare
from orchestration.overrides import prepare_seeds
from orchestration.publication.account import account_tables
from orchestration.publication.candidate import write_candidate
from orchestration.publication.ddl import published_tables
from orchestration.publication.publish import CheckCounts
from orchestration.publication.questions import questions
from orchestration.publication.refreshes import read_row_account, refresh_row, with_row
from orchestration.settings import DEMO_MARKER, DEMO_SEEDS, read_settings
from orchestration.treatments.check import check_candidate
from orchestration.warehouse.tables import built_tables
from tests.support import project
from tests.support.project import Build

AS_OF = LAST_DAY + timedelta(days=1)
OUTCOME_DAYS, RFM_WINDOW_DAYS, GAP_MIN_BASKETS = 90, 365, 3
SIZE = Size(companies=500, persons=500, company_prospects=40, person_prospects=30, anonymous_orders=150)


@dataclass(frozen=True)
class Built:
    """The merchant, the build of it, and the account of its schemes by table."""

    merchant: Merchant
    build: Build
    account: Mapping[str, list[dict[str, Any]]]

    def segments(self, scheme: str) -> dict[str, str]:
        return self.build.mapping(f"select member_id, segment from customer_segments where scheme = '{scheme}'")

    def frame(self, table: str) -> pd.DataFrame:
        """A landed table."""
        return self.merchant.tables[table].to_pandas()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    tmp = tmp_path_factory.mktemp("merchant")
    merchant = make_merchant(SIZE)
    landing = tmp / "warehouse" / "demo"
    write_tables(landing, merchant.tables)
    settings = read_settings({"DEMO": "merchant", "WAREHOUSE_DIR": str(tmp / "warehouse")})
    prepare_seeds(settings)
    chosen = {"DEMO": "merchant", "SEEDS_PATH": settings.seeds_path, "STORE_TIMEZONE": settings.store_timezone}
    # With its mark it is the demo, which is not written again.
    (landing / DEMO_MARKER).write_text(MERCHANT_STAMP, encoding="utf-8")
    build = project.build(landing, tmp, **chosen)
    with duckdb.connect(str(build.file), read_only=True) as con:
        account = {name: table.to_pylist() for name, table in account_tables(con, AS_OF).items()}
    return Built(merchant, build, account)


# ---- companies, their contact persons and committees -----------------------------------------------------------------


def test_the_day_after_the_last_line_is_described_and_the_data_say_that_they_are_simulated(built: Built) -> None:
    assert built.build.rows("select as_of, reporting_currency, data_label from refresh_settings") == [
        (AS_OF, "EUR", "a simulated merchant of building materials")
    ]


def test_sizes_and_industries_are_those_planted(built: Built) -> None:
    truth = built.merchant.truth
    assert built.segments("company_size") == {c: truth.said_sizes.get(c, "unknown") for c in truth.sizes}
    labels = built.build.mapping("select segment, label from segments where scheme = 'industry'")
    assert {c: labels[s] for c, s in built.segments("industry").items()} == truth.industries


def test_maturity_is_as_declared_else_as_the_titles_and_departments_say(built: Built) -> None:
    truth = built.merchant.truth
    expected = {c: (s, "declared") for c, s in truth.declared_maturity.items()}
    expected |= {c: (s, "inferred") for c, s in truth.evident_maturity.items() if c not in expected}
    found = built.build.mapping(
        """select member_id, segment, evidence from customer_segments
        where scheme = 'process_maturity' and segment <> 'unknown'"""
    )
    assert found == expected
    assert {evidence for _, evidence in found.values()} == {"declared", "inferred"}


def test_benefits_are_as_declared_in_four_languages_else_those_of_the_job(built: Built) -> None:
    truth, found, jobs = built.merchant.truth, built.segments("benefit_sought"), built.segments("job_to_be_done")
    with (DEMO_SEEDS["merchant"] / "job_benefits.csv").open(encoding="utf-8", newline="") as file:
        of_jobs = {row["job"]: row["benefit"] for row in csv.DictReader(file)}
    assert found == {c: truth.declared_benefits.get(c) or of_jobs.get(jobs[c], "unknown") for c in truth.sizes}


def test_the_job_of_a_company_is_that_of_its_trade(built: Built) -> None:
    """Drawn, so not of each: of nine in ten of those whose job is known, and known of most."""
    own = {
        "Roofing": "keep_the_weather_out",
        "Plumbing and heating": "bring_water_and_warmth",
        "Painting and decorating": "finish_the_surfaces",
        "Dry lining and plastering": "fit_out_the_rooms",
    }
    jobs = built.segments("job_to_be_done")
    known = [(own[i], jobs[c]) for c, i in built.merchant.truth.industries.items() if i in own and jobs[c] != "unknown"]
    assert len(known) > 0.8 * sum(i in own for i in built.merchant.truth.industries.values())
    assert sum(a == b for a, b in known) > 0.9 * len(known)


def test_roles_of_contacts_in_four_languages_are_those_planted(built: Built) -> None:
    contacts = built.frame("company_contacts")["person_id"]
    assert built.segments("buying_role") == {p: built.merchant.truth.roles.get(p, "unknown") for p in contacts}


def test_committees_are_those_planted(built: Built) -> None:
    truth = built.merchant.truth
    channels = {
        c
        for (c,) in built.build.rows(
            "select distinct channel from treatments join segment_schemes using (scheme) where is_active"
        )
    }
    expected = {}
    for company, contacts in truth.contacts.items():
        owners = [p for p in contacts if truth.roles.get(p) == "signatory" and truth.said_sizes.get(company) == "small"]
        for role in ROLES:
            holders = [p for p in contacts if truth.roles.get(p) == role] + owners
            expected[company, role] = (bool(holders), any(truth.consents[p] & channels for p in holders))
    rows = built.build.rows("select company_id, role, is_covered, is_contactable from company_committees")
    assert {(company, role): (covered, contactable) for company, role, covered, contactable in rows} == expected
    assert {covered for covered, _ in expected.values()} == {True, False}


# ---- treatments and audiences ----------------------------------------------------------------------------------------


def test_every_segment_has_a_treatment_of_its_own(built: Built) -> None:
    with duckdb.connect(str(built.build.file), read_only=True) as con:
        report = check_candidate(con, AS_OF)
    assert [str(finding) for finding in report.findings if finding.severity == "block"] == []
    assert report.pairs > 100


def test_contacts_are_addressed_for_their_company_under_their_own_consent(built: Built) -> None:
    truth = built.merchant.truth
    rows = built.build.rows("select member_id, company_id, channel from audiences")
    assert sum(company is not None for _, company, _ in rows) > 50
    for member, company, channel in rows:
        assert member not in truth.sizes
        assert channel in truth.consents[member]
        assert company is None or member in truth.contacts[company]
    with duckdb.connect(str(built.build.file), read_only=True) as con:
        assert check_audiences(con, Limits(4, 28)) == []


# ---- missed cross-sell -----------------------------------------------------------------------------------------------


def regulars_without(built: Built, item: str) -> set[str]:
    """From the landed lines: who bought bricks in three baskets of the window or more, and the item never."""
    products = built.frame("products")[["product_id", "category"]]
    lines = built.frame("order_lines").merge(products, on="product_id")
    lines = lines[(lines["status"] == "paid") & lines["customer_id"].notna()]
    sold = lines[lines["quantity"] > 0]
    back = lines[lines["quantity"] < 0].groupby(["returns_order_id", "product_id"])["quantity"].sum()
    units = sold.groupby(["order_id", "product_id"])["quantity"].sum()
    is_back = units.add(back.rename_axis(["order_id", "product_id"]), fill_value=0).groupby(level=0).max() <= 0
    sold = sold[~sold["order_id"].map(is_back)]
    recent = sold[pd.to_datetime(sold["ordered_at"]) >= pd.Timestamp(AS_OF - timedelta(days=RFM_WINDOW_DAYS))]
    bricks = recent[recent["category"] == BRICKS].groupby("customer_id")["order_id"].nunique()
    return set(bricks[bricks >= GAP_MIN_BASKETS].index) - set(sold[sold["category"] == item]["customer_id"])


def test_bricks_without_sand_and_cement_are_the_first_finding(built: Built) -> None:
    together = built.build.rows(
        """select because_item, gap_item, sum(expected_value) as together
        from cross_sell_gaps group by all order by together desc, because_item, gap_item limit 2"""
    )
    assert {(because, gap) for because, gap, _ in together} == {(BRICKS, CEMENT), (BRICKS, SAND)}


@pytest.mark.parametrize("item", [SAND, CEMENT])
def test_the_gap_names_exactly_the_buyers_that_the_lines_show(built: Built, item: str) -> None:
    found = {
        c
        for (c,) in built.build.rows(
            f"select customer_id from cross_sell_gaps where because_item = '{BRICKS}' and gap_item = '{item}'"
        )
    }
    expected = regulars_without(built, item)
    assert found == expected
    # Nearly all of them are planted; a few others have not bought it by chance.
    planted = built.merchant.truth.without_mortar
    assert len(expected & planted) >= 0.9 * len(expected) > 10


# ---- what pays -------------------------------------------------------------------------------------------------------


def effect_of(offer_id: str, size: str) -> float:
    """What a treatment adds to the spend of a company, in euros."""
    offer = next(offer for offer in OFFERS if offer.treatment_id == offer_id)
    orders, amount = offer.effects.get(size, (0, 0.0))
    return orders * amount


def spends(built: Built) -> pd.Series:
    """From the landed lines: merchandise of each company of the experiment in its outcome period."""
    lines = built.frame("order_lines").merge(built.frame("products")[["product_id", "department"]], on="product_id")
    day = pd.to_datetime(lines["ordered_at"]).dt.date
    end = ASSIGNED_ON + timedelta(days=OUTCOME_DAYS)
    inside = (day >= ASSIGNED_ON) & (day < end) & (lines["status"] == "paid") & (lines["department"] != "Services")
    return lines[inside].groupby("customer_id")["amount"].sum()


def test_arms_are_drawn_by_their_shares(built: Built) -> None:
    arms = pd.Series(built.merchant.truth.arms).value_counts()
    shares = dict(zip([offer.treatment_id for offer in OFFERS], OFFER_SHARES, strict=True))
    shares[HOLDOUT] = 1 - sum(OFFER_SHARES)
    assert stats.chisquare(arms, [shares[arm] * arms.sum() for arm in arms.index]).pvalue > 0.01


def test_uplift_is_the_difference_of_the_means_of_the_landed_lines(built: Built) -> None:
    arms, spend = built.merchant.truth.arms, spends(built)
    values = {c: float(spend.get(c, 0.0)) for c in arms}
    rows = [r for r in built.account["treatment_outcomes"] if r["experiment_id"] == EXPERIMENT_ID]
    for offer in OFFERS:
        treated = np.array([values[c] for c, arm in arms.items() if arm == offer.treatment_id])
        holdout = np.array([values[c] for c, arm in arms.items() if arm == HOLDOUT])
        (row,) = [
            r for r in rows if (r["scheme"], r["treatment_id"], r["outcome"]) == ("all", offer.treatment_id, "spend")
        ]
        test = stats.ttest_ind(treated, holdout, equal_var=False)
        interval = test.confidence_interval(0.95)
        assert (row["n_treated"], row["n_holdout"], row["is_closed"]) == (len(treated), len(holdout), True)
        assert row["uplift"] == pytest.approx(treated.mean() - holdout.mean(), rel=1e-9)
        assert (row["ci_low"], row["ci_high"]) == pytest.approx((interval.low, interval.high), rel=1e-9)
        # The company's arm cost what its contact person was sent.
        assert row["cost_per_member"] == pytest.approx(offer.cost, rel=1e-9)


def test_planted_effects_lie_in_the_intervals_of_their_sizes(built: Built) -> None:
    rows = [
        r
        for r in built.account["treatment_outcomes"]
        if (r["experiment_id"], r["scheme"], r["outcome"]) == (EXPERIMENT_ID, "company_size", "spend")
        and r["segment"] != "unknown"
    ]
    assert {(r["segment"], r["treatment_id"]) for r in rows} == {
        (size, offer.treatment_id) for size in ("small", "medium", "large") for offer in OFFERS
    }
    for row in rows:
        effect = effect_of(row["treatment_id"], row["segment"])
        assert row["cuped_ci_low"] < effect < row["cuped_ci_high"], row


def test_telling_sizes_apart_pays_what_was_planted(built: Built) -> None:
    truth = built.merchant.truth
    (row,) = [
        r
        for r in built.account["segmentation_dividend"]
        if (r["scheme"], r["experiment_id"]) == ("company_size", EXPERIMENT_ID)
    ]
    assert row["verdict"] == "segmenting pays", row
    margin = next(r["margin_share"] for r in built.account["treatment_outcomes"] if r["margin_share"] is not None)
    members = [truth.said_sizes[c] for c in truth.arms if c in truth.said_sizes]
    worth = {
        offer.treatment_id: {s: effect_of(offer.treatment_id, s) * margin - offer.cost for s in set(members)}
        for offer in OFFERS
    }
    worth[HOLDOUT] = dict.fromkeys(set(members), 0.0)
    best_single = max(np.mean([by_size[s] for s in members]) for by_size in worth.values())
    dividend = np.mean([max(by_size[s] for by_size in worth.values()) for s in members]) - best_single
    assert row["ci_low"] < dividend < row["ci_high"], (dividend, row)
    assert row["one_treatment"] == "simulated_site_planner"


def test_sizes_are_told_apart_in_the_log(built: Built) -> None:
    (card,) = [row for row in built.account["scheme_scorecard"] if row["scheme"] == "company_size"]
    assert (card["verdict"], card["assigned_distinct"], card["delivered_distinct"]) == ("in use", 1.0, 1.0)


# ---- the eight questions of docs/questions.md, in SQL and by a metric ------------------------------------------------


@pytest.fixture(scope="module")
def warehouse(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse folder in which the build is published, unaudited."""
    folder = tmp_path_factory.mktemp("merchant_published")
    manifest = json.loads((built.build.target / "manifest.json").read_text(encoding="utf-8"))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with built_tables(read_settings({"WAREHOUSE_DIR": str(built.build.warehouse)})) as con:
        account = dict(account_tables(con, AS_OF))
        row = refresh_row("r", AS_OF, now, now, read_row_account(con), CheckCounts(0, 0, 0))
        account["refreshes"] = with_row(row.slice(0, 0), row)
        write_candidate(con, folder / "published", published_tables(manifest), account, questions(), "EUR")
    return folder


def page_blocks(language: str) -> list[str]:
    """The blocks of docs/questions.md in a language."""
    page = (project.ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
    return [block.strip() for block in re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)]


def test_every_question_of_the_page_is_answered_in_sql(warehouse: Path) -> None:
    blocks = page_blocks("sql")
    assert len(blocks) == 11
    with duckdb.connect(str(warehouse / "published" / "segments.duckdb"), read_only=True) as con:
        empty = [block for block in blocks if not con.execute(block).fetchall()]
    assert empty == []


def test_answers_are_those_of_the_tables(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse / "published" / "segments.duckdb"), read_only=True) as con:
        spend = con.execute("select sum(spend), count(*) from v_spend_by_month where scheme = 'rfm'").fetchone()
        assert spend == con.execute("select sum(spend), count(*) from segment_months where scheme = 'rfm'").fetchone()
        before = con.execute(
            "select count(*) from v_spend_by_month as a inner join segment_months as b"
            " on a.scheme = b.scheme and a.segment = b.segment and a.month = b.month + interval 1 month"
            " where a.spend_before is distinct from b.spend"
        ).fetchone()
        assert before == (0,)
        sent = con.execute("select sum(touchpoints), sum(cost), count(*) from v_what_reached_whom").fetchone()
        assert sent == con.execute("select sum(touchpoints), sum(cost), count(*) from segment_deliveries").fetchone()
        gaps = con.execute("from v_committee_gaps where role = 'finance' and problem = 'nobody known'").fetchall()
        of_table = con.execute("from company_committees where role = 'finance' and not is_covered").fetchall()
        assert sorted(row[0] for row in gaps) == sorted(row[0] for row in of_table)
        nameless = con.execute(
            "select 'month' from v_spend_by_month where segment_label is null"
            " union all select 'occasion' from v_occasion_gaps where occasion_label = occasion or segment_label is null"
            " union all select 'role' from v_committee_gaps where role_label = role"
        ).fetchall()
        assert nameless == []


# What joins as docs/questions.md says, without an exception: table, columns, and the table whose key they are.
SCHEMES = "segment_schemes", "scheme"
SEGMENTS = "segments", "scheme, segment"
MEMBERS = "customer_profiles", "customer_id"
JOINS = [
    ("customer_segments", "scheme, segment", *SEGMENTS),
    ("segments", "scheme", *SCHEMES),
    ("segments", "scheme, nearest_mass_segment", *SEGMENTS),
    ("segment_profiles", "scheme, segment", *SEGMENTS),
    ("segment_affinities", "scheme, segment", *SEGMENTS),
    ("occasion_matrix", "scheme, segment", *SEGMENTS),
    ("prospect_segments", "scheme", *SCHEMES),
    ("customer_segment_history", "scheme", *SCHEMES),
    ("segment_migrations", "scheme", *SCHEMES),
    ("segment_months", "scheme", *SCHEMES),
    ("segment_months", "month", "calendar", "day_on"),
    ("segment_deliveries", "scheme", *SCHEMES),
    ("scheme_scorecard", "scheme", *SCHEMES),
    ("scheme_advice", "scheme", *SCHEMES),
    ("treatments", "scheme", *SCHEMES),
    ("treatment_assignments", "scheme", *SCHEMES),
    ("next_best_offers", "customer_id", *MEMBERS),
    ("cross_sell_gaps", "customer_id", *MEMBERS),
    ("company_committees", "company_id", *MEMBERS),
    ("audiences", "treatment_id", "treatments", "treatment_id"),
    ("refreshes", "as_of", "calendar", "day_on"),
]


def test_tables_join_as_the_page_says(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse / "published" / "segments.duckdb"), read_only=True) as con:
        for table, columns, other, key in JOINS:
            known = " and ".join(f"{column.strip()} is not null" for column in columns.split(","))
            strays = con.execute(
                f"select {columns} from {table} where {known} except select {key} from {other}"
            ).fetchmany(3)
            assert strays == [], f"{table} ({columns}) and {other} ({key}): {strays}"


# Asks many times in one process, as the commands would one by one: `mf` takes three seconds to start.
ASK_ALL = """
import json, sys
from dbt_metricflow.cli.cli_configuration import CLIConfiguration
from dbt_metricflow.cli import main
main.UpdateChecker.check = lambda *a, **k: None
configuration = CLIConfiguration()
for arguments in json.loads(sys.argv[1]):
    main.cli.main(arguments, obj=configuration, standalone_mode=False)
"""


def environment_of(warehouse: Path) -> dict[str, str]:
    return project.environment(warehouse, warehouse / "dbt-target", {})


def ask(warehouse: Path, *arguments: str) -> str:
    """What `make metrics ASK=…` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "orchestration", "metrics", *arguments],
        cwd=project.ROOT,
        env=environment_of(warehouse),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{arguments}:\n{(done.stdout + done.stderr)[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def answers(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """What MetricFlow says to each `metrics` block of the page, and to a few metrics alone."""
    tmp = tmp_path_factory.mktemp("answers")
    asked = [*page_blocks("metrics"), *(f"query --metrics {metric}" for metric in COUNTED)]
    files = [tmp / f"{number}.csv" for number in range(len(asked))]
    folder = warehouse / "dbt-target" / "metrics"
    settings = read_settings({"WAREHOUSE_DIR": str(warehouse)})
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            ASK_ALL,
            json.dumps([[*shlex.split(q), "--csv", str(f)] for q, f in zip(asked, files, strict=True)]),
        ],
        cwd=folder,
        env={**environment_of(warehouse), **prepare(settings, folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return {query: pd.read_csv(file) for query, file in zip(asked, files, strict=True)}


def test_metricflow_can_compute_every_metric_on_what_is_published(warehouse: Path) -> None:
    said = ask(warehouse, "validate-configs")
    # Semantics, and models, dimensions, entities, measures and metrics in the file.
    assert said.count("(ERRORS: 0, ") == 6 and "metrics against data warehouse (ERRORS: 0" in said, said


def test_spend_by_segment_by_month_is_that_of_sql(warehouse: Path, tmp_path: Path) -> None:
    by = "segment_month__scheme,segment_month__segment_id,metric_time__month"
    ask(warehouse, "query", "--metrics", "spend,orders,members", "--group-by", by, "--csv", str(tmp_path / "spend.csv"))
    asked = pd.read_csv(tmp_path / "spend.csv", parse_dates=["metric_time__month"])
    with duckdb.connect(str(warehouse / "published" / "segments.duckdb"), read_only=True) as con:
        told = con.execute("select scheme, segment, month, spend, orders, members from segment_months").df()
    names = {"segment_month__scheme": "scheme", "segment_month__segment_id": "segment", "metric_time__month": "month"}
    key = ["scheme", "segment", "month"]
    asked, told = (t.set_index(key).sort_index() for t in (asked.rename(columns=names), told))
    assert len(told) > 100 and list(asked.index) == list(told.index)
    for metric in ("spend", "orders", "members"):
        assert np.allclose(asked[metric].astype(float), told[metric].astype(float), rtol=1e-12), metric


def test_every_question_of_the_page_is_answered_by_a_metric(answers: dict[str, pd.DataFrame]) -> None:
    blocks = page_blocks("metrics")
    assert len(blocks) == 9
    assert [block for block in blocks if answers[block].empty] == []


# A metric -> the same in SQL on the published tables.
COUNTED = {
    "companies_without_finance": "select count(*) from company_committees where role = 'finance' and not is_covered",
    "gap_value": "select sum(expected_value) from v_gaps_by_money",
    "gap_customers": "select count(distinct customer_id) from cross_sell_gaps",
    "sent_members": "select count(distinct member_id) from audience_decisions where outcome = 'sent'",
    "moved_members": "select sum(members) from segment_migrations where from_segment <> to_segment"
    " and from_segment <> 'not_yet_known'",
    "cost_per_response": "select sum(cost) / sum(responses) from segment_deliveries where cost is not null",
}


def test_metrics_without_groups_are_totals_of_the_tables(warehouse: Path, answers: dict[str, pd.DataFrame]) -> None:
    with duckdb.connect(str(warehouse / "published" / "segments.duckdb"), read_only=True) as con:
        for metric, sql in COUNTED.items():
            (expected,) = con.execute(sql).fetchone() or (None,)
            (found,) = answers[f"query --metrics {metric}"][metric]
            assert float(found) == pytest.approx(float(expected)) and found > 0, metric
