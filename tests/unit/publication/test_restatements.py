"""What a refresh says otherwise about the past than the version before: counted on histories written by hand."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.publication.restatements import Restatements, count_restatements

# Calendar starts of 2026 on the grid of both versions, and the as-of dates after them.
MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)
GRID = [MARCH, APRIL, MAY]
BEFORE, NOW = date(2026, 5, 10), date(2026, 5, 11)

# Per scheme and member, a segment on each grid date and on the as-of date; None: not yet known.
Memberships = dict[tuple[str, str], list[str | None]]
SEGMENTS: Memberships = {
    ("rfm", "a"): ["best", "best", "lost", "lost"],
    ("rfm", "b"): [None, "new", "new", "best"],
    ("gender", "a"): ["female", "female", "female", "female"],
}


def spans(memberships: Memberships, dates: list[date]) -> list[tuple[str, str, str, date, date | None]]:
    """Memberships drawn together, as customer_segment_history holds them."""
    found = []
    for (scheme, member), segments in memberships.items():
        known = [(day, segment) for day, segment in zip(dates, segments, strict=True) if segment is not None]
        starts = [(d, s) for i, (d, s) in enumerate(known) if i == 0 or known[i - 1][1] != s]
        for i, (day, segment) in enumerate(starts):
            until = starts[i + 1][0] if i + 1 < len(starts) else None
            found.append((scheme, member, segment, day, until))
    return found


HISTORY = "(scheme varchar, member_id varchar, segment varchar, valid_from date, valid_to date)"


def version_of(folder: Path, memberships: Memberships, dates: list[date]) -> Path:
    """A published version: the two parquet files that are compared."""
    (folder / "parquet").mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        con.execute(f"create table customer_segment_history {HISTORY}")
        rows = spans(memberships, dates)
        if rows:
            con.executemany("insert into customer_segment_history values (?, ?, ?, ?, ?)", rows)
        con.execute("create table segment_migrations (period_start date, period_end date)")
        for start, end in itertools.pairwise(dates):
            con.execute("insert into segment_migrations values (?, ?)", [start, end])
        for table in ("customer_segment_history", "segment_migrations"):
            con.execute(f"copy {table} to '{folder}/parquet/{table}.parquet' (format parquet)")
    return folder


def counted(
    version: Path | None, memberships: Memberships, dates: list[date], first_lines: dict[str, date] | None = None
) -> Restatements:
    """What is counted where the build holds `memberships` on `dates`, of which the last is the as-of date."""
    with duckdb.connect() as con:
        con.execute(f"create table customer_segment_history {HISTORY}")
        rows = spans(memberships, dates)
        if rows:
            con.executemany("insert into customer_segment_history values (?, ?, ?, ?, ?)", rows)
        con.execute("create table int_as_of_dates (as_of date, is_history_grid boolean, is_current boolean)")
        for day in dates:
            con.execute("insert into int_as_of_dates values (?, true, ?)", [day, day == dates[-1]])
        # The start of the outcome period is no date of the history.
        con.execute("insert into int_as_of_dates values ('2026-02-10', false, false)")
        con.execute("create table int_customers (customer_id varchar, first_line_on date)")
        for member, day in (first_lines or {"a": date(2026, 2, 20), "b": date(2026, 3, 20)}).items():
            con.execute("insert into int_customers values (?, ?)", [member, day])
        return count_restatements(con, version)


@pytest.fixture
def version(tmp_path: Path) -> Path:
    return version_of(tmp_path / "version", SEGMENTS, [*GRID, BEFORE])


def changed(key: tuple[str, str], segments: list[str | None]) -> Memberships:
    return {**SEGMENTS, key: segments}


def test_nothing_is_restated_where_nothing_changed(version: Path) -> None:
    assert counted(version, SEGMENTS, [*GRID, NOW]) == Restatements(0, 0)


def test_without_an_earlier_version_nothing_can_be_said(tmp_path: Path) -> None:
    assert counted(None, SEGMENTS, [*GRID, NOW]) == Restatements(None, None)
    assert counted(tmp_path, SEGMENTS, [*GRID, NOW]) == Restatements(None, None)


def test_each_date_of_a_changed_span_counts(version: Path) -> None:
    assert counted(version, changed(("rfm", "a"), ["best", "new", "new", "lost"]), [*GRID, NOW]) == Restatements(2, 2)


def test_two_members_on_one_date_are_one_date(version: Path) -> None:
    both = {**SEGMENTS, ("rfm", "a"): ["best", "lost", "lost", "lost"], ("rfm", "b"): [None, "best", "new", "best"]}
    assert counted(version, both, [*GRID, NOW]) == Restatements(1, 2)


def test_the_as_of_date_of_the_version_before_is_no_date_of_the_grid(version: Path) -> None:
    """On 10 May it was current; today it is on no grid, whatever the segments are now."""
    assert counted(version, changed(("rfm", "b"), [None, "new", "new", "lost"]), [*GRID, NOW]) == Restatements(0, 0)


def test_a_second_refresh_of_the_same_day_does_not_compare_that_day(version: Path) -> None:
    assert counted(version, changed(("rfm", "b"), [None, "new", "new", "lost"]), [*GRID, BEFORE]) == Restatements(0, 0)


def test_an_as_of_date_that_is_a_calendar_start_stays_on_the_grid(tmp_path: Path) -> None:
    version = version_of(tmp_path / "version", SEGMENTS, [MARCH, APRIL, date(2026, 4, 9), MAY])
    now = changed(("rfm", "b"), ["new", "new", "lost", "lost"])
    assert counted(version, now, [MARCH, APRIL, MAY, NOW], {"a": MARCH, "b": MARCH}) == Restatements(1, 1)


def test_the_only_date_of_the_version_before_is_compared_too(tmp_path: Path) -> None:
    """It was the as-of date and a calendar start: no migrations yet."""
    version = version_of(tmp_path / "version", {("rfm", "a"): ["best"]}, [MARCH])
    assert counted(version, {("rfm", "a"): ["best", "lost"]}, [MARCH, NOW]) == Restatements(0, 0)
    assert counted(version, {("rfm", "a"): ["lost", "lost"]}, [MARCH, NOW]) == Restatements(1, 1)
    assert counted(version, {("rfm", "a"): ["lost"]}, [MARCH]) == Restatements(0, 0)


def test_a_member_who_is_gone_counts_on_each_date_they_were_known(version: Path) -> None:
    left = {key: value for key, value in SEGMENTS.items() if key != ("rfm", "b")}
    assert counted(version, left, [*GRID, NOW]) == Restatements(2, 2)


def test_a_late_first_order_restates_and_a_new_registration_does_not(version: Path) -> None:
    more = {**SEGMENTS, ("rfm", "c"): ["unknown", "new", "new", "new"], ("rfm", "d"): ["unknown"] * 4}
    lines = {"a": date(2026, 2, 20), "b": date(2026, 3, 20), "c": date(2026, 3, 30), "d": date(2026, 5, 10)}
    assert counted(version, more, [*GRID, NOW], lines) == Restatements(2, 2)


def test_a_line_on_the_grid_date_itself_is_not_before_it(version: Path) -> None:
    more = {**SEGMENTS, ("rfm", "c"): ["unknown", "unknown", "new", "new"]}
    assert counted(version, more, [*GRID, NOW], {"c": APRIL}) == Restatements(1, 1)


def test_a_scheme_that_only_one_version_has_restates_nothing(version: Path) -> None:
    now = {key: value for key, value in SEGMENTS.items() if key[0] != "gender"}
    assert counted(version, {**now, ("age_band", "a"): ["19-24"] * 4}, [*GRID, NOW]) == Restatements(0, 0)


def test_a_grid_that_begins_later_is_compared_where_both_are(version: Path) -> None:
    """The first days' file was deleted: March is gone from the grid, the other dates are as they were."""
    now = {key: [None, *segments[1:]] for key, segments in SEGMENTS.items()}
    later = {key: segments[1:] for key, segments in now.items()}
    assert counted(version, later, [APRIL, MAY, NOW]) == Restatements(0, 0)


_SEGMENT = st.sampled_from(["x", "y"])
_ROW = st.tuples(st.integers(0, 3), st.lists(_SEGMENT, min_size=4, max_size=4)).map(
    lambda row: [None if i < row[0] else s for i, s in enumerate(row[1])]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    earlier=st.dictionaries(st.tuples(st.just("s"), st.sampled_from("abc")), _ROW, min_size=1),
    present=st.dictionaries(st.tuples(st.just("s"), st.sampled_from("abc")), _ROW, min_size=1),
)
def test_counts_agree_with_comparing_date_by_date(
    tmp_path_factory: pytest.TempPathFactory, earlier: Memberships, present: Memberships
) -> None:
    """Oracle: the memberships themselves, without spans. Everybody has bought before all dates."""
    restated = [
        (day, key)
        for i, day in enumerate(GRID)
        for key in {*earlier, *present}
        if earlier.get(key, [None] * 4)[i] != present.get(key, [None] * 4)[i]
    ]
    version = version_of(tmp_path_factory.mktemp("version"), earlier, [*GRID, BEFORE])
    found = counted(version, present, [*GRID, NOW], dict.fromkeys("abc", date(2026, 1, 1)))
    assert found == Restatements(len({day for day, _ in restated}), len(restated))
