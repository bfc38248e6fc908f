"""Consent, unsubscribes, holdout, cap and priority on adversarial logs: the models' SQL against an oracle in Python.

The SQL is what dbt compiles, run on small tables in memory; the logs are drawn so that moments tie, channels are
misspelt, objections point at other people's messages, and touches fall on the edges of the windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.audiences.check import Limits, Moment, Record, check_audiences, consent_problem, said
from orchestration.warehouse.project import project_vars
from tests.support.project import dbt, write_landing

AS_OF = date(2026, 3, 31)
MEMBERS = ("ann", "bob")
# Two channels a treatment may use; sms is the treatment of two schemes.
TREATMENTS = {"r": ("rfm", "mail"), "l": ("life", "SMS "), "z": ("zeta", "sms")}
ORDER = ("rfm", "life", "zeta")
# In place of an arm: a treatment that the member had, and has no more.
BEFORE = "before"
MODELS = ("int_landed_arms", "contact_permissions", "audience_decisions")

# Days relative to the as-of date: just before it, on it and after it, and the edges of the 28-day windows. Mostly one
# member, few moments and few channels, so that rows meet; mostly yes, so that what denies is what decides.
near = st.sampled_from([-2, -1, -1, 0, 3])
edges = st.sampled_from([-29, -28, -28, -27, -2, -1, 0])
# None: the day alone is known.
hours = st.sampled_from([0, 9, None])
members = st.sampled_from(["ann", "ann", "ann", "bob"])
spelt = st.sampled_from(["mail", "mail", " Mail ", "sms", "SMS", "fax"])
mostly = st.sampled_from([True, True, True, False])


class Logs(NamedTuple):
    """One adversarial world. Days are offsets to the as-of date, hours make moments tie."""

    consents: Sequence[tuple[str, str, int, int | None, bool]]
    touches: list[tuple[str, str, int, str | None]]
    objections: list[tuple[str, int | None, int, int | None]]
    arms: dict[tuple[str, str], str]
    # Of experiments run elsewhere: experiment (None where the treatment is it), member, treatment, arm, day.
    landed: Sequence[tuple[str | None, str, str, str, int]] = ()


EVERYBODY_CONSENTS = [(member, channel, -2, 0, True) for member in MEMBERS for channel in ("mail", "sms")]
worlds = st.builds(
    Logs,
    st.builds(
        lambda base, more: [*base, *more],
        st.sampled_from([EVERYBODY_CONSENTS, EVERYBODY_CONSENTS, []]),
        st.lists(st.tuples(members, spelt, near, hours, mostly), max_size=5),
    ),
    st.lists(st.tuples(members, spelt, edges, st.sampled_from([*TREATMENTS, None, None, None, None])), max_size=7),
    st.just([]) | st.lists(st.tuples(members, st.none() | st.integers(0, 6), near, hours), max_size=3),
    st.fixed_dictionaries(
        {},
        optional={
            (m, t): st.sampled_from(["treated", "treated", "treated", "holdout", BEFORE])
            for m in MEMBERS
            for t in TREATMENTS
        },
    ),
    st.just(())
    | st.lists(
        st.tuples(
            st.sampled_from([None, "e"]),
            members,
            st.sampled_from([*TREATMENTS, "none"]),
            st.sampled_from(["treated", "holdout"]),
            st.sampled_from([-9, -8, 0, 3]),
        ),
        max_size=4,
    ),
)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The models' SQL as dbt compiles it, over tables of bare names."""
    tmp = tmp_path_factory.mktemp("compiled")
    line = {
        "order_id": "o",
        "customer_id": "ann",
        "product_id": "p",
        "ordered_at": "2026-03-30",
        "quantity": 1,
        "amount": 1,
    }
    zone = write_landing(tmp / "zone", {"order_lines": [line]})
    built = dbt(["compile", "--select", *MODELS], tmp / "warehouse", tmp / "target", LANDING_DIR=str(zone))
    folder = built.target / "compiled" / "segments_in_use" / "models"
    files = {m: next(folder.rglob(f"{m}.sql")) for m in MODELS}
    return {m: file.read_text().replace('"warehouse"."main".', "") for m, file in files.items()}


@pytest.fixture(scope="module")
def con(compiled: dict[str, str]) -> duckdb.DuckDBPyConnection:
    """A database in memory with the tables that the models read, without rows of the logs."""
    con = duckdb.connect()
    con.execute(
        f"""
        set TimeZone = 'UTC';
        create table int_current_date as select date '{AS_OF}' as as_of;
        create table segment_scheme_rows as select unnest({list(reversed(ORDER))}) as scheme, true as is_active,
            'person, company' as audience;
        create view segment_schemes as from segment_scheme_rows;
        create table scheme_priorities as
            select 'rfm' as scheme, 1 as priority, 'first' as reason union all select 'life', 2, 'second';
        create table treatments (treatment_id varchar, scheme varchar, channel varchar, valid_from date, valid_to date);
        create table customer_segments as
            select 'rfm' as scheme, unnest({list(MEMBERS)}) as member_id, 'best' as segment;
        create table int_customers as select member_id as customer_id, 'person' as kind from customer_segments;
        create table int_prospect_profiles (customer_id varchar, kind varchar);
        create table stg_customers as select * from int_customers;
        create table stg_companies (company_id varchar);
        create table stg_company_contacts (person_id varchar, company_id varchar, job_title varchar);
        create table int_job_titles (spelling varchar, role varchar);
        create table buying_roles (role varchar, sort_order integer);
        create table stg_consents (
            customer_id varchar, channel varchar, opted_in boolean, recorded_at timestamp, recorded_on date,
            recorded_at_is_day boolean);
        create table stg_touchpoints (
            touchpoint_id varchar, customer_id varchar, channel varchar, treatment_id varchar, touched_on date);
        create table stg_responses (
            customer_id varchar, kind varchar, touchpoint_id varchar, responded_at timestamp, responded_on date,
            responded_at_is_day boolean);
        create table stg_assignments (
            experiment_id varchar, customer_id varchar, treatment_id varchar, arm varchar, assigned_on date,
            share_treated double);
        create table treatment_assignments (
            scheme varchar, member_id varchar, treatment_id varchar, segment varchar, arm varchar,
            is_current boolean, sends_treatment_id varchar);
        """
    )
    con.executemany("insert into treatments values (?, ?, ?, null, null)", [(t, *at) for t, at in TREATMENTS.items()])
    con.execute("create table treatment_rows as from treatments")
    for name in MODELS:
        con.execute(f"create view {name} as {compiled[name]}")
    con.execute(
        "create view audiences as select channel, scheme, member_id, treatment_id,"
        " (select as_of from int_current_date) as send_on, cast(null as varchar) as company_id"
        " from audience_decisions where outcome = 'sent'"
    )
    return con


def fill(con: duckdb.DuckDBPyConnection, logs: Logs) -> None:
    """Put one world into the tables."""

    def put(table: str, rows: list[tuple[Any, ...]]) -> None:
        con.execute(f"delete from {table}")
        if rows:
            con.executemany(f"insert into {table} values ({', '.join('?' * len(rows[0]))})", rows)

    def day(offset: int) -> date:
        return AS_OF + timedelta(days=offset)

    def moment(offset: int, hour: int | None) -> datetime:
        return datetime.combine(day(offset), datetime.min.time()).replace(hour=hour or 0)

    put("stg_consents", [(m, c, yes, moment(d, h), day(d), h is None) for m, c, d, h, yes in logs.consents])
    put("stg_touchpoints", [(f"t{i}", m, c, t, day(d)) for i, (m, c, d, t) in enumerate(logs.touches)])
    put(
        "stg_responses",
        [
            (m, "unsubscribe", None if i is None else f"t{i}", moment(d, h), day(d), h is None)
            for m, i, d, h in logs.objections
        ]
        + [(m, "open", None, moment(-1, 23), day(-1), False) for m in MEMBERS],
    )
    put("stg_assignments", [(e, m, t, arm, day(d), 0.5) for e, m, t, arm, d in logs.landed])
    put(
        "treatment_assignments",
        [
            (TREATMENTS[t][0], m, t, "best", "treated" if arm == BEFORE else arm, arm != BEFORE, t)
            for (m, t), arm in logs.arms.items()
        ],
    )


def held_elsewhere(logs: Logs) -> set[tuple[str, str]]:
    """(member, treatment) of the holdouts of experiments run elsewhere, whatever their day."""
    sent = {t for e, _, t, arm, _ in logs.landed if e and arm == "treated"}
    held = set()
    for member in MEMBERS:
        for experiment in (None, "e"):
            for treatment in TREATMENTS:
                arms = [
                    (d, arm)
                    for e, m, t, arm, d in logs.landed
                    if (e, m) == (experiment, member)
                    and (t == treatment or (e and (t, arm) == ("none", "holdout") and treatment in sent))
                ]
                if arms and min(arms)[1] == "holdout":
                    held.add((member, treatment))
    return held


def expected(logs: Logs, limits: Limits, repeat_days: int) -> set[tuple[str, str]]:
    """(member, treatment) that must be sent: exactly these, by the contract, member by member."""

    def plain(channel: str) -> str:
        return channel.strip().lower()

    def moment(day: int, hour: int | None, denies: bool) -> Moment:
        at = datetime(2026, 1, 1) + timedelta(days=day, hours=hour or 0)
        return said(at, at.date(), hour is None, denies)

    sent = set()
    held = held_elsewhere(logs)
    for member in MEMBERS:
        record = Record()
        for m, channel, day, hour, yes in logs.consents:
            if m == member:
                record.consents.append((plain(channel), moment(day, hour, not yes), yes))
        for m, index, day, hour in logs.objections:
            if m == member:
                own = index is not None and index < len(logs.touches) and logs.touches[index][0] == member
                channel = plain(logs.touches[index][1]) if own else None  # type: ignore[index]
                record.objections.append((channel, moment(day, hour, True)))
        touches = [(day, treatment) for m, _, day, treatment in logs.touches if m == member and day < 0]
        if sum(day >= -limits.contact_cap_days for day, _ in touches) >= limits.contact_cap:
            continue
        for scheme in ORDER:
            (treatment,) = (t for t, (of, _) in TREATMENTS.items() if of == scheme)
            recent = any(t == treatment and day >= -repeat_days for day, t in touches)
            allowed = consent_problem(record, plain(TREATMENTS[treatment][1]), limits.assume_consent) is None
            treated = logs.arms.get((member, treatment)) == "treated" and (member, treatment) not in held
            if treated and allowed and not recent:
                sent.add((member, treatment))
                break
    return sent


BOUNDS = Limits(int(project_vars()["contact_cap"]), int(project_vars()["contact_cap_days"]))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logs=worlds)
def test_exactly_those_are_addressed_who_may_be(con: duckdb.DuckDBPyConnection, logs: Logs) -> None:
    fill(con, logs)
    sent = set(con.execute("select member_id, treatment_id from audiences").fetchall())
    assert sent == expected(logs, BOUNDS, int(project_vars()["repeat_after_days"]))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logs=worlds)
def test_the_blocking_check_passes_what_the_models_chose(con: duckdb.DuckDBPyConnection, logs: Logs) -> None:
    fill(con, logs)
    assert check_audiences(con, BOUNDS) == []


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logs=worlds)
def test_every_treatment_of_today_has_one_decision_with_a_reason(con: duckdb.DuckDBPyConnection, logs: Logs) -> None:
    fill(con, logs)
    rows = con.execute("select member_id, treatment_id, outcome, reason from audience_decisions").fetchall()
    assert sorted((m, t) for m, t, _, _ in rows) == sorted(key for key, arm in logs.arms.items() if arm != BEFORE)
    assert all(outcome and reason for _, _, outcome, reason in rows)
    elsewhere = held_elsewhere(logs)
    holdouts = {key for key, arm in logs.arms.items() if arm == "holdout" or (arm != BEFORE and key in elsewhere)}
    assert {(m, t) for m, t, outcome, _ in rows if outcome == "holdout"} == holdouts


def test_the_blocking_check_finds_a_row_that_slipped_in(con: duckdb.DuckDBPyConnection) -> None:
    fill(con, Logs([("ann", "mail", -2, 0, True), ("ann", "mail", -1, 0, False)], [], [], {("ann", "r"): "treated"}))
    assert check_audiences(con, BOUNDS) == []
    con.execute("begin")
    con.execute(
        "create or replace view audiences as select 'mail' as channel, 'rfm' as scheme, 'ann' as member_id,"
        " 'r' as treatment_id,"
        " cast(null as varchar) as company_id,"
        f" date '{AS_OF}' as send_on"
    )
    (found,) = check_audiences(con, BOUNDS)
    con.execute("rollback")
    assert (found.member_id, found.why) == ("ann", "refused on 2026-03-30")


def test_the_blocking_check_finds_a_holdout_of_an_experiment_run_elsewhere(con: duckdb.DuckDBPyConnection) -> None:
    consents = [("ann", "mail", -2, 0, True)]
    landed = [("e", "ann", "none", "holdout", -9), ("e", "bob", "r", "treated", -9), ("e", "ann", "r", "treated", -8)]
    con.execute("begin")
    con.execute(
        "create or replace view audiences as select 'mail' as channel, 'rfm' as scheme, 'ann' as member_id,"
        f" 'r' as treatment_id, cast(null as varchar) as company_id, date '{AS_OF}' as send_on"
    )
    fill(con, Logs(consents, [], [], {("ann", "r"): "treated"}, landed))
    found = check_audiences(con, BOUNDS)
    # From the as-of date on, and later.
    for day in (0, 3):
        fill(con, Logs(consents, [], [], {("ann", "r"): "treated"}, [("e", "ann", "r", "holdout", day)]))
        assert check_audiences(con, BOUNDS) == found
    # Treated first.
    first = [("e", "ann", "r", "treated", -9), ("e", "ann", "r", "holdout", 0)]
    fill(con, Logs(consents, [], [], {("ann", "r"): "treated"}, first))
    assert check_audiences(con, BOUNDS) == []
    con.execute("rollback")
    assert [(violation.member_id, violation.why) for violation in found] == [("ann", "drawn into the holdout")]
