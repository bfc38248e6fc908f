"""Candidates for an offer that are left out before they are sorted: none of them would have been chosen."""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from tests.support.project import ROOT

# customer_number, department_number, position, score
Candidate = tuple[int, int, int, int]
MACROS = Environment().from_string((ROOT / "macros" / "engine" / "contenders.sql").read_text(encoding="utf-8")).module


def contenders(candidates: list[Candidate], places: int) -> set[Candidate]:
    with duckdb.connect() as con:
        con.execute(
            "create table candidates (customer_number bigint, department_number bigint, position bigint, score bigint)"
        )
        if candidates:
            con.executemany("insert into candidates values (?, ?, ?, ?)", candidates)
        return set(con.execute(MACROS.duckdb__contenders("candidates", places)).fetchall())  # type: ignore[attr-defined]


def chosen(candidates: list[Candidate] | set[Candidate], places: int, of_a_department: int) -> set[Candidate]:
    """The best `places` of each customer, at most so many of a department first; equal scores by position."""
    offers: set[Candidate] = set()
    for customer in {row[0] for row in candidates}:
        by_score = sorted((row for row in candidates if row[0] == customer), key=lambda row: (-row[3], row[2]))
        departments: Counter[int] = Counter()
        first, later = [], []
        for row in by_score:
            departments[row[1]] += 1
            (first if departments[row[1]] <= of_a_department else later).append(row)
        offers |= set((first + later)[:places])
    return offers


@st.composite
def shops(draw: st.DrawFn) -> list[Candidate]:
    """Every item has a place and a department; customers have some of them left, with scores that are often equal."""
    departments = draw(st.lists(st.integers(1, 4), min_size=1, max_size=9))
    rows = []
    for customer in (1, 2):
        for position, department in enumerate(departments, start=1):
            score = draw(st.none() | st.integers(-2, 3))
            if score is not None:
                rows.append((customer, department, position, score))
    return rows


@settings(max_examples=300, deadline=None)
@given(candidates=shops(), places=st.integers(1, 5), of_a_department=st.integers(1, 4))
def test_nothing_that_is_left_out_would_be_chosen(
    candidates: list[Candidate], places: int, of_a_department: int
) -> None:
    left = contenders(candidates, places)
    assert left <= set(candidates)
    assert chosen(left, places, of_a_department) == chosen(candidates, places, of_a_department)


@pytest.mark.parametrize(("places", "scores"), [(1, {9}), (2, {9, 8, 7}), (3, {9, 8, 7, 3, 2}), (4, None)])
def test_what_scores_less_than_the_last_departments_best_is_left_out(places: int, scores: set[int] | None) -> None:
    """The best of three departments are 9, 7 and 2; there is no fourth one, so of four offers nothing is left out."""
    candidates = [(1, 1, 1, 9), (1, 1, 2, 8), (1, 1, 3, 3), (1, 1, 4, 1), (1, 2, 5, 7), (1, 2, 6, 0), (1, 3, 7, 2)]
    expected = set(candidates) if scores is None else {row for row in candidates if row[3] in scores}
    assert contenders(candidates, places) == expected
