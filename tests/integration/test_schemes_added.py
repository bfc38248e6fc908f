"""docs/add-a-scheme.md, followed to the letter: what the page shows is what a copy of the project gets, no more."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from orchestration.publication.account import account_tables
from orchestration.treatments.check import check_candidate
from tests.support import project
from tests.support.project import ROOT, Build

PAGE = ROOT / "docs" / "add-a-scheme.md"
AS_OF = date(2026, 6, 1)
COPIED = ("dbt_project.yml", "macros", "models", "seeds", "profiles", "orchestration", "tests/dbt")
# member -> how many of twelve baskets are on a Saturday; the others are on Wednesdays.
SATURDAYS = {"never": 0, "some": 5, "half": 6, "most": 10}


def blocks(page: str) -> dict[str, str]:
    """Path -> what the page shows for it: each fenced block belongs to the file that was named last before it."""
    found: dict[str, str] = {}
    for fence in re.finditer(r"^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        named = re.findall(r"`((?:models|seeds)/[\w/.]+)`", page[: fence.start()])
        if named and named[-1] not in found:
            found[named[-1]] = fence[2]
    return found


def follow(page: str, folder: Path) -> None:
    """Add to the project in `folder` what the page shows: SQL files are new, seed rows go to the end of the seed."""
    for path, text in blocks(page).items():
        file = folder / path
        if path.endswith(".sql"):
            assert not file.exists()
            file.write_text(text, encoding="utf-8")
        else:
            old = file.read_text(encoding="utf-8")
            file.write_text(old.rstrip("\n") + "\n" + text, encoding="utf-8")


def zone() -> project.Landing:
    """Four persons with twelve baskets each, a company, a person without baskets. A thirteenth basket of `half`, on a
    Wednesday, has come back."""
    lines: list[dict[str, Any]] = []
    for member, saturdays in [*SATURDAYS.items(), ("firm", 12)]:
        for week in range(12):
            saturday = datetime(2026, 3, 7, 12) + timedelta(weeks=week)
            at = saturday if week < saturdays else saturday - timedelta(days=3)
            lines.append(
                {
                    "order_id": f"{member}{week}",
                    "customer_id": member,
                    "product_id": "bread",
                    "ordered_at": at.isoformat(),
                    "quantity": 1,
                    "amount": 3,
                }
            )
    back = {**lines[0], "order_id": "back", "customer_id": "half", "ordered_at": "2026-04-01T12:00:00"}
    returned = {"order_id": "return", "ordered_at": "2026-04-02T12:00:00", "quantity": -1, "amount": -3}
    lines += [back, {**back, **returned, "returns_order_id": "back"}]
    return {
        "order_lines": lines,
        "products": [{"product_id": "bread", "department": "BAKERY", "category": "BREAD"}],
        "customers": [{"customer_id": "firm", "kind": "company"}, {"customer_id": "idle", "kind": "person"}],
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a copy of the project with the page's scheme is, and what is made by it."""
    tmp = tmp_path_factory.mktemp("added")
    copy = tmp / "project"
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            copy.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy / name)
    follow(PAGE.read_text(encoding="utf-8"), copy)
    project.write_landing(tmp / "landing", zone())
    return tmp


def build(folder: Path, *, with_tests: bool = False) -> Build:
    """A build of the copy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(project, "ROOT", folder / "project")
        return project.build(folder / "landing", folder, as_of=AS_OF.isoformat(), with_tests=with_tests)


@pytest.fixture(scope="module")
def added(folder: Path) -> Build:
    """The build of the copy, with dbt's data tests."""
    return build(folder, with_tests=True)


def kept_form(page: str, sql: str) -> str:
    """The scheme's file `sql` as the page's second SQL block shows it: around its select."""
    form = re.findall(r"^```sql\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[1]
    select = sql[sql.index("with weekend_shares") :]
    kept, found = re.subn(r"^-- the select of above.*$", lambda _: select, form, flags=re.MULTILINE)
    assert found == 1
    return kept


def test_the_page_shows_one_sql_file_and_rows_of_three_seeds() -> None:
    shown = blocks(PAGE.read_text(encoding="utf-8"))
    assert Counter(Path(path).parts[0] for path in shown) == {"models": 1, "seeds": 3}


def test_members_are_divided_as_the_page_says(added: Build) -> None:
    assert added.mapping("select member_id, segment from customer_segments where scheme = 'shopping_days'") == {
        "never": "weekdays",
        "some": "weekdays",
        "half": "weekend",
        "most": "weekend",
        "idle": "unknown",
    }


def test_reason_holds_what_decided(added: Build) -> None:
    reasons = added.mapping("select member_id, reason from customer_segments where scheme = 'shopping_days'")
    assert json.loads(reasons["half"]) == {"weekend_share": 0.5}


def test_a_member_whom_the_scheme_does_not_judge_is_unknown_without_a_reason(added: Build) -> None:
    rows = added.rows(
        "select segment, evidence, reason from customer_segments where scheme = 'shopping_days' and member_id = 'idle'"
    )
    assert rows == [("unknown", "unknown", "{}")]


def test_customer_profiles_have_a_column_of_its_own(added: Build) -> None:
    assert added.value("select shopping_days from customer_profiles where customer_id = 'most'") == "weekend"
    assert added.value("select shopping_days from customer_profiles where customer_id = 'firm'") is None


@pytest.mark.parametrize(
    "table", ["segments", "customer_segment_history", "segment_migrations", "segment_profiles", "occasion_cells"]
)
def test_other_tables_have_it_without_being_touched(added: Build, table: str) -> None:
    assert added.value(f"select count(*) from {table} where scheme = 'shopping_days'") > 0


def test_segments_have_the_labels_of_the_seed(added: Build) -> None:
    rows = added.rows("select segment, label, members from segments where scheme = 'shopping_days' order by sort_order")
    assert rows == [("weekdays", "Weekdays", 2), ("weekend", "Weekend", 2), ("unknown", "Unknown", 1)]


def test_the_treatment_check_has_nothing_against_it(added: Build) -> None:
    with duckdb.connect(str(added.file), read_only=True) as con:
        report = check_candidate(con, AS_OF)
    assert [str(finding) for finding in report.findings if finding.scheme == "shopping_days"] == []
    assert added.value("select count(*) from treatments where scheme = 'shopping_days'") == 2


def test_the_scorecard_has_a_row_for_it(added: Build) -> None:
    with duckdb.connect(str(added.file), read_only=True) as con:
        account = account_tables(con, AS_OF)
    (row,) = [row for row in account["scheme_scorecard"].to_pylist() if row["scheme"] == "shopping_days"]
    assert (row["members"], row["verdict"], row["assigned_distinct"]) == (4, "unproven", 1.0)
    assert "shopping_days" in account["occasion_matrix"].column("scheme").to_pylist()


@pytest.mark.slow
def test_kept_by_date_it_says_the_same_and_its_dates_are_not_made_again(folder: Path, added: Build) -> None:
    """Comes after most others: it makes the copy's scheme another kind of table."""
    published = added.contents("customer_segments"), added.contents("customer_segment_history")
    page = PAGE.read_text(encoding="utf-8")
    file = folder / "project" / "models/marts/segments/schemes/shopping_days.sql"
    file.write_text(kept_form(page, file.read_text(encoding="utf-8")), encoding="utf-8")
    kept = build(folder)
    assert (kept.contents("customer_segments"), kept.contents("customer_segment_history")) == published
    with duckdb.connect(str(kept.file)) as con:
        con.execute("update shopping_days set reason = '{\"weekend_share\": 9}'")
    again = build(folder)
    assert again.rows("select distinct reason from shopping_days") == [('{"weekend_share": 9}',)]


@pytest.mark.slow
def test_a_model_that_is_not_kept_gets_categories_on_every_date(folder: Path, added: Build) -> None:
    """Comes after it: it adds a model to the copy. Where all is kept, nobody needs them but on the current date."""
    every_date = added.rows("select as_of from int_fact_dates order by as_of")
    assert len(every_date) > 1
    assert build(folder).rows("select distinct as_of from int_customer_categories") == [(AS_OF,)]
    model = folder / "project" / "models" / "intermediate" / "dates_with_categories.sql"
    model.write_text("select distinct as_of from {{ ref('int_customer_categories') }}\n", encoding="utf-8")
    with_spend = added.rows(
        "select distinct dates.as_of from int_fact_dates as dates"
        " inner join int_customer_category_days as days on days.day_on < dates.as_of order by 1"
    )
    assert build(folder).rows("select as_of from dates_with_categories order by as_of") == with_spend


def test_columns_of_a_seed_may_change_places_and_new_ones_may_come(folder: Path, added: Build) -> None:
    """What a spreadsheet does: the table is there from the build before, and is filled by name."""
    path = folder / "project" / "seeds" / "treatments.csv"
    before = added.contents("treatment_rows")
    assert len(before) > 50
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame[sorted(frame.columns, reverse=True)].assign(note="from the meeting").to_csv(path, index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(project, "ROOT", folder / "project")
        again = project.dbt(["seed", "--select", "treatments"], added.warehouse, added.target)
    columns = [name for (name,) in again.rows("select column_name from (describe treatment_rows) order by 1")]
    assert set(columns) == {*frame.columns, "note"}
    kept = sorted(frame.columns)
    assert again.rows(f"select {', '.join(kept)} from treatment_rows order by all") == before


def test_a_rule_that_dbt_has_from_an_earlier_parse_stops_the_build(folder: Path, added: Build) -> None:
    """dbt takes a scheme's file for a model, and keeps the macro in it from its cache of parsed files."""
    path = folder / "project" / "models/marts/segments/schemes/gender.sql"
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace("coalesce(gender, 'unknown')", "'everybody'"), encoding="utf-8")
    try:
        with pytest.raises(AssertionError, match=r"gender\.sql: its macro profile_scheme__gender has changed"):
            build(folder)
    finally:
        path.write_text(before, encoding="utf-8")
