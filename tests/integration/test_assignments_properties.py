"""Arms: uniform, independent of each other, the same everywhere, and never drawn again. The models' SQL, in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.support.project import dbt, write_landing

pytestmark = pytest.mark.slow

FIRST_DAY = date(2026, 1, 1)
SEGMENTS = ("best", "lost")
COLUMNS = (
    "scheme, member_id, treatment_id, segment, arm, assigned_on, share_treated, origin, is_eligible, segments,"
    " sends_treatment_id, share_uniform, share_programme"
)
# dbt_project.yml; here it is a literal of the compiled SQL.
PROGRAMME_SHARE = 0.02


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the SQL is of treatment_assignments and what it is made from, as dbt compiles it."""
    tmp = tmp_path_factory.mktemp("compiled")
    line = {
        "order_id": "o",
        "customer_id": "a",
        "product_id": "p",
        "ordered_at": "2026-03-30",
        "quantity": 1,
        "amount": 1,
    }
    zone = write_landing(tmp / "zone", {"order_lines": [line]})
    models = ["int_landed_arms", "treatment_assignments", "earlier_assignments", "uniform_treatments_are_treatments"]
    built = dbt(["compile", "--select", *models], tmp / "warehouse", tmp / "target", LANDING_DIR=str(zone))
    return built.target / "compiled" / "segments_in_use"


def sql_of(folder: Path, name: str) -> str:
    """A compiled model or test over tables of bare names."""
    return next(folder.rglob(f"{name}.sql")).read_text().replace('"warehouse"."main".', "")


@pytest.fixture(scope="module")
def compiled(folder: Path) -> str:
    """The SQL of treatment_assignments over tables of bare names."""
    return sql_of(folder, "treatment_assignments")


@pytest.fixture
def con(compiled: str, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory in which the model is a view; no members, treatments r_best, r_lost and l_best, l_lost."""
    con = duckdb.connect()
    con.execute(
        """
        create table int_current_date (as_of date);
        create table customer_segments (scheme varchar, member_id varchar, segment varchar);
        create table treatments (
            treatment_id varchar, template_id varchar, scheme varchar, segment varchar, channel varchar,
            valid_from date, valid_to date, is_idle boolean);
        insert into treatments
            select scheme || '_' || segment, scheme || '_' || segment, scheme, segment, 'mail', null, null, false
            from (values ('r'), ('l')) schemes (scheme), (values ('best'), ('lost')) segments (segment);
        create table segment_scheme_rows as
            select scheme, 'person' as audience from (values ('r'), ('l')) schemes (scheme);
        create table treatment_shares (treatment_id varchar, share_treated double);
        create table uniform_treatments (scheme varchar, treatment_id varchar, share_uniform double);
        create table contact_permissions (member_id varchar, channel varchar, is_permitted boolean);
        create table stg_assignments (
            customer_id varchar, treatment_id varchar, arm varchar, assigned_on date, share_treated double,
            experiment_id varchar);
        create table int_customers (customer_id varchar);
        create table stg_company_contacts (person_id varchar, company_id varchar);
        create table int_member_touchpoints (member_id varchar, treatment_id varchar, touched_on date);
        create table earlier_assignments (
            scheme varchar, member_id varchar, treatment_id varchar, segment varchar, arm varchar, assigned_on date,
            share_treated double, origin varchar, is_eligible boolean, segments varchar,
            sends_treatment_id varchar, share_uniform double, share_programme double);
        """
    )
    con.execute(f"create view int_landed_arms as {sql_of(folder, 'int_landed_arms')}")
    # Without the programme's holdout, but where a test asks for it.
    assert f"< {PROGRAMME_SHARE}" in compiled
    con.execute("create table programme (share double)")
    con.execute("insert into programme values (0)")
    asked = compiled.replace(f"< {PROGRAMME_SHARE}", "< (select share from programme)")
    assert f"else {PROGRAMME_SHARE} end" in asked
    asked = asked.replace(f"else {PROGRAMME_SHARE} end", "else (select share from programme) end")
    con.execute(f"create view treatment_assignments as {asked}")
    yield con
    con.close()


def refresh(
    con: duckdb.DuckDBPyConnection, day: date, members: dict[tuple[str, str], str], shares: dict[str, float]
) -> list[tuple[Any, ...]]:
    """One refresh: what is assigned on a day, which is then remembered. `members`: (scheme, member) -> segment."""
    con.execute("delete from int_current_date")
    con.execute("insert into int_current_date values (?)", [day])
    con.execute("delete from customer_segments")
    if members:
        con.executemany("insert into customer_segments values (?, ?, ?)", [(*key, seg) for key, seg in members.items()])
    con.execute("delete from treatment_shares")
    if shares:
        con.executemany("insert into treatment_shares values (?, ?)", list(shares.items()))
    con.execute("create or replace temp table published as from treatment_assignments")
    con.execute(
        f"insert into earlier_assignments select {COLUMNS} from published where not exists (select 1 from"
        " earlier_assignments e where (e.scheme, e.member_id, e.treatment_id) ="
        " (published.scheme, published.member_id, published.treatment_id))"
    )
    return con.execute(f"select {COLUMNS}, is_current from published order by all").fetchall()


def arms(rows: list[tuple[Any, ...]]) -> dict[tuple[str, str], str]:
    return {(row[2], row[1]): row[4] for row in rows}


def many(count: int) -> dict[tuple[str, str], str]:
    return {(scheme, f"m{i}"): "best" for scheme in ("r", "l") for i in range(count)}


def test_the_share_treated_is_the_share_asked_for(con: duckdb.DuckDBPyConnection) -> None:
    asked = {"r_best": 0.5, "l_best": 0.02}
    rows = refresh(con, FIRST_DAY, many(20_000), asked)
    for treatment, share in asked.items():
        treated = sum(row[4] == "treated" for row in rows if row[2] == treatment)
        assert stats.binomtest(treated, 20_000, share).pvalue > 1e-4, (treatment, treated)


def test_arms_of_two_treatments_are_independent(con: duckdb.DuckDBPyConnection) -> None:
    found = arms(refresh(con, FIRST_DAY, many(20_000), {"r_best": 0.5, "l_best": 0.5}))
    table = np.zeros((2, 2), dtype=int)
    for i in range(20_000):
        table[found["r_best", f"m{i}"] == "treated", found["l_best", f"m{i}"] == "treated"] += 1
    assert stats.chi2_contingency(table).pvalue > 1e-4, table


def test_draws_are_uniform_so_a_larger_share_only_adds_members(con: duckdb.DuckDBPyConnection) -> None:
    treated: list[set[str]] = []
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        con.execute("delete from earlier_assignments")
        rows = refresh(con, FIRST_DAY, many(5_000), {"r_best": share})
        treated.append({row[1] for row in rows if row[2] == "r_best" and row[4] == "treated"})
    assert all(small < large for small, large in pairwise(treated))
    between = [len(treated[0])] + [len(b - a) for a, b in pairwise(treated)]
    between.append(5_000 - sum(between))
    assert stats.chisquare(between, [500, 1000, 1000, 1000, 1000, 500]).pvalue > 1e-4, between


@pytest.mark.parametrize(("share", "arm"), [(0.0, "holdout"), (1.0, "treated")])
def test_a_share_of_none_or_all_leaves_no_exception(con: duckdb.DuckDBPyConnection, share: float, arm: str) -> None:
    rows = refresh(con, FIRST_DAY, many(5_000), {"r_best": share, "l_best": share})
    assert {row[4] for row in rows} == {arm}


lives = st.lists(
    st.tuples(
        st.dictionaries(
            st.tuples(st.sampled_from(["r", "l"]), st.sampled_from(["ann", "bob"])),
            st.sampled_from([*SEGMENTS, "unknown"]),
            max_size=4,
        ),
        st.dictionaries(
            st.sampled_from(["r_best", "r_lost", "l_best", "l_lost"]), st.sampled_from([0.0, 0.5, 1.0]), max_size=4
        ),
    ),
    min_size=2,
    max_size=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(life=lives)
def test_no_arm_is_ever_drawn_again(con: duckdb.DuckDBPyConnection, life: Any) -> None:
    con.execute("delete from earlier_assignments")
    con.execute("update programme set share = 0.5")
    con.execute("delete from uniform_treatments")
    con.execute("insert into uniform_treatments values ('r', 'r_lost', 0.5)")
    drawn: dict[tuple[str, str, str], tuple[Any, ...]] = {}
    for step, (members, shares) in enumerate(life):
        day = FIRST_DAY + timedelta(days=step)
        rows = refresh(con, day, members, shares)
        for row in rows:
            assert drawn.setdefault(row[:3], row[3:13]) == row[3:13], "a row that was there has changed"
        current = sorted((row[0], row[1], row[2]) for row in rows if row[13])
        wanted = sorted((s, m, f"{s}_{segment}") for (s, m), segment in members.items() if segment in SEGMENTS)
        assert current == wanted
        known = {m for _, m in members}
        assert {row[:3] for row in rows} == {key for key in drawn if key[1] in known}
        programme = {row[1] for row in rows if row[4] == "programme"}
        assert all(row[4] == "programme" for row in rows if row[1] in programme), "in one scheme and out of another"


def test_the_uniform_arm_takes_from_the_holdout_and_leaves_who_is_treated(con: duckdb.DuckDBPyConnection) -> None:
    before = arms(refresh(con, FIRST_DAY, many(5_000), {"r_best": 0.6, "l_best": 0.6}))
    con.execute("delete from earlier_assignments")
    con.execute("insert into uniform_treatments values ('r', 'r_lost', 0.3)")
    after = refresh(con, FIRST_DAY, many(5_000), {"r_best": 0.6, "l_best": 0.6})
    found = arms(after)
    assert {key for key, arm in before.items() if arm == "treated"} == {
        k for k, arm in found.items() if arm == "treated"
    }
    uniform = sum(arm == "uniform" for (treatment, _), arm in found.items() if treatment == "r_best")
    assert stats.binomtest(uniform, 5_000, 0.3).pvalue > 1e-4
    assert {row[10] for row in after if row[4] == "uniform"} == {"r_lost"}
    assert {row[0] for row in after if row[4] == "uniform"} == {"r"}


def test_the_programmes_holdout_is_the_share_asked_for_and_never_drawn_again(con: duckdb.DuckDBPyConnection) -> None:
    old = {("r", f"m{i}"): "best" for i in range(5_000)}
    refresh(con, FIRST_DAY, old, {})
    con.execute("update programme set share = 0.1")
    new = old | {("r", f"n{i}"): "best" for i in range(5_000)} | {("l", f"m{i}"): "best" for i in range(5_000)}
    rows = refresh(con, FIRST_DAY + timedelta(days=1), new, {})
    out = {row[1] for row in rows if row[4] == "programme"}
    assert not any(member.startswith("m") for member in out), "who had an arm before stays in the programme"
    assert stats.binomtest(len(out), 5_000, 0.1).pvalue > 1e-4
    con.execute("update programme set share = 0.5")
    later = refresh(con, FIRST_DAY + timedelta(days=2), new | {("l", f"n{i}"): "best" for i in range(5_000)}, {})
    assert {row[1] for row in later if row[4] == "programme"} == out
    assert {row[12] for row in later if row[1] in out} == {0.1}


def test_an_arm_of_an_id_that_became_an_alias_is_its_customers(folder: Path, tmp_path: Path) -> None:
    """g1 and c9 were drawn for t1, and the first arm stays; g2's only one is c9's too; the demo's rows are nobody's."""
    state = tmp_path / "assignments.parquet"
    sql = sql_of(folder, "earlier_assignments")
    (named,) = set(re.findall(r"'[^']*treatment_assignments.parquet'", sql))
    sql = sql.replace(named, f"'{state}'")
    with duckdb.connect() as con:
        con.execute(
            f"""
            copy (
                select 'rfm' as scheme, member_id, treatment_id, 'best' as segment, arm,
                    date '2026-01-01' + day as assigned_on, 0.9 as share_treated, 'drawn' as origin,
                    true as is_eligible, '' as segments,
                    cast(null as varchar) as sends_treatment_id, 0.0 as share_uniform, 0.0 as share_programme, is_demo
                from (values ('g1', 't1', 'holdout', 0, false), ('c9', 't1', 'treated', 9, false),
                    ('g2', 't2', 'treated', 3, false), ('b', 't1', 'treated', 4, false),
                    ('c9', 't3', 'treated', 0, true)
                ) as rows (member_id, treatment_id, arm, day, is_demo)
            ) to '{state}' (format parquet)
            """
        )
        con.execute(
            "create table base_customer_ids as"
            " from (values ('g1', 'c9', false), ('g2', 'c9', false)) as ids (alias_id, customer_id, is_guest)"
        )
        found = con.execute(f"select member_id, treatment_id, arm, assigned_on from ({sql}) order by all").fetchall()
    assert found == [
        ("b", "t1", "treated", date(2026, 1, 5)),
        ("c9", "t1", "holdout", date(2026, 1, 1)),
        ("c9", "t2", "treated", date(2026, 1, 4)),
    ]


def test_the_one_treatment_for_all_is_no_row_for_every_segment(folder: Path) -> None:
    with duckdb.connect() as con:
        con.execute(
            """
            create table treatment_rows as from (values ('each', 'r', '*'), ('lost', 'r', 'lost'))
                as rows (treatment_id, scheme, segment);
            create table treatments as from (values ('each', 'r'), ('each_best', 'r'), ('lost', 'r'))
                as rows (treatment_id, scheme);
            create table uniform_treatments (scheme varchar, treatment_id varchar, share_uniform double);
            """
        )
        asked = sql_of(folder, "uniform_treatments_are_treatments")
        for row in (("r", "each_best", 0.3), ("r", "lost", 0.3)):
            con.execute("insert into uniform_treatments values (?, ?, ?)", row)
        assert con.execute(asked).fetchall() == []
        con.execute("insert into uniform_treatments values ('r', 'other', 0.3), ('r', 'lost', 1.3)")
        assert len(con.execute(asked).fetchall()) == 2
        con.execute("insert into uniform_treatments values ('r', 'each', 0.3)")
        with pytest.raises(duckdb.Error, match=r"each is a row for every segment.*each_… .*row of its own"):
            con.execute(asked).fetchall()
