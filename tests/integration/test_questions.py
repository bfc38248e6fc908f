"""The views of ready questions in a published version, against the tables they ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.publication.questions import questions


@pytest.fixture(scope="module")
def con(demo_refresh: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(demo_refresh / "published" / "segments.duckdb"), read_only=True) as con:
        yield con


def test_every_table_view_and_column_says_what_it_is(con: duckdb.DuckDBPyConnection) -> None:
    silent = con.execute(
        """
        select table_name, '' from duckdb_tables() where comment is null
        union all select view_name, '' from duckdb_views() where not internal and comment is null
        union all select table_name, column_name from duckdb_columns() where not internal and comment is null
        """
    ).fetchall()
    assert silent == []


def test_every_question_is_a_view(con: duckdb.DuckDBPyConnection) -> None:
    views = con.execute("select view_name from duckdb_views() where not internal").fetchall()
    named = {f"v_{name}" for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()}
    assert {name for (name,) in views} - named == {question.name for question in questions()}


def test_every_id_of_a_table_has_its_name_beside_it_in_the_view_of_that_table(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """As many rows as the table, no id without a name, and the name is the one in `segments`."""
    ids = con.execute(
        """
        select table_name, column_name from duckdb_columns()
        where table_name in (select table_name from duckdb_tables())
            and column_name in (
                'scheme', 'segment', 'segment_a', 'segment_b', 'from_segment', 'to_segment', 'nearest_mass_segment',
                'occasion', 'role'
            )
            and (table_name, column_name) <> ('segments', 'segment')
        """
    ).fetchall()
    assert len({table for table, _ in ids}) > 20
    for table, column in ids:
        counts = con.execute(
            f"""
            select
                (select count(*) from {table}) = count(*),
                count(*) filter ({column} is not null and {column}_label is null)
            from v_{table}
            """
        ).fetchone()
        assert counts == (True, 0), (table, column)
    odd = con.execute(
        """
        select count(*) from v_customer_segments as told
        left join segments using (scheme, segment) where told.segment_label is distinct from segments.label
        """
    ).fetchone()
    assert odd == (0,)


def test_money_and_customers_of_gaps_are_those_of_the_table(con: duckdb.DuckDBPyConnection) -> None:
    gaps = con.execute("from cross_sell_gaps").df()
    pairs = gaps.groupby(["because_item", "gap_item"]).agg(
        n=("customer_id", "nunique"), money=("expected_value", "sum")
    )
    told = con.execute("from v_gaps_by_money").df().set_index(["because_item", "gap_item"])
    assert len(told) == len(pairs) > 100
    assert (told["customers"] == pairs["n"].reindex(told.index)).all()
    assert (told["expected_value"].astype(float) - pairs["money"].astype(float).reindex(told.index)).abs().max() < 1e-6
    assert told["expected_value"].is_monotonic_decreasing


def test_movers_are_those_who_the_migrations_count(con: duckdb.DuckDBPyConnection) -> None:
    """The demo's last period is one month, so both tell of the same moves."""
    counted = con.execute(
        "select scheme, from_segment, to_segment, count(*) from v_movers group by all order by all"
    ).fetchall()
    told = con.execute("select scheme, from_segment, to_segment, members from v_movements order by all").fetchall()
    assert counted == told
    assert len(told) > 100


def test_no_ready_view_takes_its_day_from_earlier_refreshes() -> None:
    """`refreshes` has all of them, also one as of a later day."""
    assert [asked.name for asked in questions() if re.search(r"max\(as_of\) from refreshes", asked.select)] == []


def test_what_pays_comes_before_what_does_not_and_before_what_nobody_knows() -> None:
    (asked,) = [question for question in questions() if question.name == "v_what_pays"]
    with duckdb.connect() as con:
        con.execute(
            """
            create table segment_schemes as
                select unnest(['a', 'b', 'c', 'd', 'e']) as scheme, 'd' as description, 'p' as audience;
            create table scheme_scorecard as
                select 'v' as verdict, 9 as members, 1 as assigned_distinct, 1 as delivered_distinct, 'w' as why, *
                from (values ('a', 'unproven', 0.9), ('b', 'yes', 0.1), ('c', 'no', 0.8), ('d', 'yes', 0.2),
                    ('e', 'unproven', null)) as t(scheme, pays, behaviour_effect)
            """
        )
        told = con.execute(asked.select).fetchall()
    assert [row[0] for row in told] == ["d", "b", "c", "a", "e"]


def test_those_at_risk_are_told_with_their_first_offer(con: duckdb.DuckDBPyConnection) -> None:
    told = con.execute("select customer_id, spend, offer_item, channels from v_customers_at_risk").fetchall()
    members = con.execute(
        "select count(*) from customer_segments where scheme = 'rfm' and segment in ('at_risk', 'cant_lose')"
    ).fetchone()
    assert members == (len(told),)
    offers = dict(con.execute("select customer_id, item from next_best_offers where offer_rank = 1").fetchall())
    assert {row[0]: row[2] for row in told} == {row[0]: offers.get(row[0]) for row in told}
    # Nobody has consented to anything on the demo.
    assert {row[3] for row in told} == {None}
    assert [row[1] for row in told] == sorted((row[1] for row in told), reverse=True)
