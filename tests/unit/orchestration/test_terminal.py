"""What `make refresh` shows: readable, aligned, and with the reason when it stops."""

from __future__ import annotations

import io
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from orchestration import terminal
from orchestration.settings import Settings
from orchestration.terminal import (
    Problem,
    Progress,
    Step,
    coloured,
    failure_text,
    has_colour,
    in_full,
    rows_read,
    scorecard,
    step_line,
    stopped,
    warned,
)

ROW: dict[str, Any] = {
    "scheme": "rfm",
    "members": 2467,
    "behaviour_effect": 0.5749,
    "behaviour_outcome": "orders",
    "assigned_distinct": 1.0,
    "delivered_distinct": 0.714,
    "pays": "unproven",
    "verdict": "in use",
    "why": "Segments explain a lot.",
}


def settings(folder: Path) -> Settings:
    return Settings(None, folder, None, "UTC", "duckdb")


def test_a_step_is_one_line_with_its_name_seconds_and_rows() -> None:
    line = step_line("marts", Step(0.0, rows=1_234_567, passed=12), 42.0, succeeded=True)
    assert line.split("   ")[0].strip().startswith("models")
    assert "42.0 s" in line and "1,234,567 rows" in line and "12 checks" in line
    assert "\n" not in line


def test_a_step_that_stopped_says_so_and_counts_what_failed() -> None:
    line = step_line("audit_candidate", Step(0.0, passed=11, warned=1, failed=2), 0.4, succeeded=False)
    assert "14 checks, 2 failed, 1 warned" in line
    assert line.endswith("STOPPED")


def test_columns_of_the_scorecard_stand_below_each_other() -> None:
    text = scorecard([ROW, {**ROW, "scheme": "category_interest", "delivered_distinct": None, "why": ""}])
    lines = [line for line in text.splitlines() if not line.startswith("      ")]
    assert len({line.index(word) for line, word in zip(lines, ("pays", "unproven", "unproven"), strict=True)}) == 1


def test_what_is_not_all_is_not_said_to_be() -> None:
    """Of 210 pairs one is alike on paper."""
    assert ">99%" in scorecard([{**ROW, "assigned_distinct": 209 / 210}])
    assert ">" not in scorecard([ROW])


def test_the_scorecard_shows_verdict_and_why_of_each_scheme() -> None:
    text = scorecard([ROW])
    assert "in use" in text and "Segments explain a lot." in text
    assert "0.575 orders" in text and "100%" in text and "71%" in text and "2,467" in text


def test_what_is_not_known_is_a_dash_and_not_a_zero() -> None:
    nothing = {**ROW, "behaviour_effect": None, "behaviour_outcome": None, "delivered_distinct": None}
    cells = scorecard([nothing]).splitlines()[1].split()
    assert cells.count("-") == 2


def test_schemes_of_which_nothing_is_known_are_one_line() -> None:
    empty = [{**ROW, "scheme": scheme, "members": 0} for scheme in ("gender", "age_band")]
    text = scorecard([empty[0], ROW, empty[1]])
    assert " ".join(text.split("\n\n")[-1].split()).startswith("Nothing is known of gender, age_band: docs/schemes.md")
    assert text.count("gender") == 1


def test_a_stopped_refresh_names_the_check_and_that_the_published_state_is_untouched(tmp_path: Path) -> None:
    problems = [Problem("shares_sum_to_one on segments", "rfm: shares sum to 0.98")]
    text = stopped(problems, tmp_path / "x.log", "20260101T000000Z-a", settings(tmp_path))
    assert "shares_sum_to_one on segments" in text and "rfm: shares sum to 0.98" in text
    assert "untouched" in text and "20260101T000000Z-a" in text and "x.log" in text


def test_a_stopped_refresh_fits_on_one_screen(tmp_path: Path) -> None:
    problems = [Problem(f"check_{n}", "\n".join(f"line {i}" for i in range(40))) for n in range(3)]
    text = stopped(problems, tmp_path / "x.log", None, settings(tmp_path))
    assert len(text.splitlines()) <= 50
    assert "30 more, in the log" in text
    assert "nothing was published before" in text


def test_rows_that_were_read_are_told_with_those_that_are_not_counted() -> None:
    account = {
        "rows_landed": 12_000, "rows_staged": 11_990, "rows_quarantined": 7, "rows_duplicate": 3,
        "rows_not_counted": 1_204, "rows_anonymous": 31,
    }  # fmt: skip
    assert " ".join(rows_read(account)) == (
        "12,000 rows read, 11,990 used, 7 refused (table quarantine), 3 exact copies dropped; of the order lines used, "
        "1,204 not counted by their status (seeds/order_statuses.csv) and 31 no customer's (an empty customer_id or "
        "seeds/guest_ids.csv)"
    )


def test_of_rows_read_nothing_is_told_that_there_is_none_of_or_that_was_not_counted_then() -> None:
    assert rows_read({"rows_landed": 5, "rows_staged": 5, "rows_quarantined": 0, "rows_not_counted": None}) == [
        "5 rows read, 5 used"
    ]
    assert rows_read({}) == []


def test_a_few_warnings_are_shown_and_the_rest_is_counted() -> None:
    assert warned([]) == []
    text = "\n".join(warned([Problem(f"check_{n}", "odd") for n in range(9)]))
    assert "check_4" in text and "check_5" not in text and "4 more" in text


def test_the_log_has_every_warning_with_every_line() -> None:
    """Of which the screen shows the first, and says that the others are there."""
    problems = [Problem(f"check_{n}", "\n".join(f"line {n}.{i}" for i in range(14))) for n in range(9)]
    text = in_full("Warnings", problems)
    assert text.startswith("Warnings:\n")
    assert all(f"check_{n}\n" in text and f"line {n}.13" in text for n in range(9))
    assert in_full("Warnings", []) == ""


def event(kind: str, key: str = "staging", **data: Any) -> SimpleNamespace:
    return SimpleNamespace(dagster_event=SimpleNamespace(event_type_value=kind, step_key=key, message="", **data))


def evaluation(passed: bool, severity: str = "ERROR", **metadata: Any) -> SimpleNamespace:
    return SimpleNamespace(
        passed=passed,
        severity=SimpleNamespace(value=severity),
        check_name="not_null_x",
        asset_key=SimpleNamespace(to_user_string=lambda: "stg_orders"),
        metadata={k.replace("__", "/"): SimpleNamespace(value=v) for k, v in metadata.items()},
        description=None,
    )


@pytest.fixture
def progress() -> Progress:
    return Progress(io.StringIO())


def test_a_failed_check_is_told_once_and_not_again_as_the_failure_of_its_step(progress: Progress) -> None:
    progress.hear(event("STEP_START"))
    progress.hear(
        event("ASSET_CHECK_EVALUATION", asset_check_evaluation_data=evaluation(False, dagster_dbt__failed_row_count=3))
    )
    failure = SimpleNamespace(error=SimpleNamespace(cause=None, message="X: dbt failed"), user_failure_data=None)
    progress.hear(event("STEP_FAILURE", step_failure_data=failure))
    assert progress.failures == [Problem("not_null_x on stg_orders", "3 rows")]


def test_checks_of_columns_that_one_test_holds_are_counted_one_by_one(progress: Progress) -> None:
    progress.hear(event("STEP_START"))
    for told in (
        evaluation(True, checks=7),
        evaluation(False, checks=5, checks_failed=2, message="spend: not_null fails for 3 rows; ..."),
    ):
        progress.hear(event("ASSET_CHECK_EVALUATION", asset_check_evaluation_data=told))
    assert (progress.steps["staging"].passed, progress.steps["staging"].failed) == (10, 2)
    (problem,) = progress.failures
    assert problem.message.startswith("spend: not_null fails for 3 rows")


def test_how_far_a_step_is_stands_on_a_terminal_until_its_line_takes_its_place(progress: Progress) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    heard = SimpleNamespace(dagster_event=None, step_key="marts", user_message="so far: 57 of 143 tables")
    other = SimpleNamespace(dagster_event=None, step_key="marts", user_message="landing zone: notes.md ignored")
    for screen, count in ((Terminal(), 1), (io.StringIO(), 0)):
        progress = Progress(screen)
        progress.hear(event("STEP_START", "marts"))
        progress.hear(other)
        progress.hear(heard)
        progress.hear(event("STEP_SUCCESS", "marts"))
        text = screen.getvalue()
        assert text.count("57 of 143 tables") == count and "notes.md" not in text
        # What a terminal shows at last is the step's own line alone.
        assert text.split("\r")[-1].startswith("  models")


@pytest.mark.parametrize("told", [{"passed": True, "warned": True}, {"passed": False}])
def test_a_warning_is_no_failure(progress: Progress, told: dict[str, bool]) -> None:
    """Neither as Dagster has it now, nor as runs of earlier versions do."""
    said = evaluation(told.pop("passed"), "WARN", message="odd", **told)
    progress.hear(event("STEP_START"))
    progress.hear(event("ASSET_CHECK_EVALUATION", asset_check_evaluation_data=said))
    progress.hear(event("STEP_SUCCESS"))
    assert progress.failures == []
    assert progress.warnings == [Problem("not_null_x on stg_orders", "odd")]
    assert "1 warned" in progress.screen.getvalue()  # type: ignore[attr-defined]


def test_colour_is_for_terminals_that_have_it_and_changes_no_word() -> None:
    text = "  staging   14 checks, 2 failed, 1 warned   STOPPED\nNot published:\n  0 warned\nPublished 2026-a in 3 s"
    shown = coloured(text)
    for words, colour in (
        ("2 failed", 31),
        ("1 warned", 33),
        ("STOPPED", 31),
        ("Not published:", 31),
        ("Published 2026-a", 32),
    ):
        assert f"\x1b[{colour}m{words}\x1b[0m" in shown
    assert re.sub(r"\x1b\[[0-9]+m", "", shown) == text and "m0 warned" not in shown
    assert has_colour({"TERM": "xterm"})
    assert not any(has_colour(e) for e in ({}, {"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": "1"}))


def test_a_step_that_failed_without_a_check_is_told_in_its_own_words(progress: Progress) -> None:
    progress.hear(event("STEP_START", "landing"))
    error = SimpleNamespace(cause=None, message="dagster._core.Failure: wrapped")
    said = SimpleNamespace(description="order_lines: required column amount is missing")
    progress.hear(
        event("STEP_FAILURE", "landing", step_failure_data=SimpleNamespace(error=error, user_failure_data=said))
    )
    assert progress.failures == [Problem("landing", "order_lines: required column amount is missing")]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("ValueError: bad value: 3\n", "bad value: 3"),
        ("a.b.DagsterDbtCliRuntimeError: frame\nErrors parsed from dbt logs:\n\nDatabase Error", "Database Error"),
        ("the file a.csv, line 3: wrong", "the file a.csv, line 3: wrong"),
    ],
)
def test_the_frame_around_an_error_is_left_out(message: str, expected: str) -> None:
    data = SimpleNamespace(error=SimpleNamespace(cause=None, message=message), user_failure_data=None)
    assert failure_text(data) == expected


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            SimpleNamespace(
                error=SimpleNamespace(
                    message="dagster.DagsterResourceFunctionError: Error executing resource_fn on refresh",
                    cause=SimpleNamespace(message="orchestration.storage.lock.LockHeld: /wh is in use", cause=None),
                )
            ),
            "/wh is in use",
        ),
        (SimpleNamespace(error=None), "Steps failed"),
        (None, "Steps failed"),
    ],
)
def test_a_run_that_failed_before_its_first_step_says_why(progress: Progress, data: Any, said: str) -> None:
    heard = event("PIPELINE_FAILURE", job_failure_data=data)
    heard.dagster_event.message = "Steps failed"
    progress.hear(heard)
    assert progress.failures == [Problem("refresh", said)]


def test_the_opening_names_what_is_read(tmp_path: Path) -> None:
    assert "the demo data" in terminal.opening("id", settings(tmp_path))


def test_schemes_that_have_nobody_to_divide_are_named_in_one_line() -> None:
    row = {
        "members": 5,
        "coverage": 0.5,
        "behaviour_effect": None,
        "behaviour_outcome": None,
        "behaviour_q_value": None,
    }
    row |= {
        "assigned_distinct": None,
        "delivered_distinct": None,
        "pays": "unproven",
        "verdict": "unproven",
        "why": "w",
    }
    nobody = {"members": 0, "coverage": None}
    shown = terminal.scorecard(
        [row | nobody | {"scheme": "industry"}, row | {"scheme": "rfm"}, row | nobody | {"scheme": "buying_role"}]
    )
    table, last = shown.rsplit("\n\n", 1)
    assert (
        " ".join(last.split()) == "Nobody to divide by industry, buying_role: there are no members of their audience."
    )
    assert "industry" not in table and "buying_role" not in table
    assert any(line.split()[:2] == ["rfm", "5"] for line in table.splitlines())


def test_prospects_are_told_in_one_line_and_not_where_there_are_none() -> None:
    with duckdb.connect() as con:
        assert terminal.prospect_lines(con) == []
        con.execute("create table prospect_segments (scheme varchar, outcome varchar, persona_id varchar)")
        assert terminal.prospect_lines(con) == []
        con.execute(
            "insert into prospect_segments values ('life_stage', 'scored', 'p'), ('company_size', 'scored', null), "
            "('life_stage', 'says nothing', null), ('life_stage', 'below the threshold', null)"
        )
        assert " ".join(" ".join(terminal.prospect_lines(con)).split()) == (
            "2 of 4 prospects have a segment (company_size, life_stage); the others: 1 below the threshold, "
            "1 says nothing; 1 are near a persona."
        )


def test_rows_that_a_step_makes_beside_its_asset_are_counted_once() -> None:
    def materialized(rows: int, **more: Any) -> Any:
        said = {"dagster/row_count": SimpleNamespace(value=rows), **more}
        event = SimpleNamespace(
            event_type_value="ASSET_MATERIALIZATION",
            step_key="candidate",
            materialization=SimpleNamespace(metadata=said),
        )
        return SimpleNamespace(dagster_event=event)

    progress = Progress(io.StringIO(), steps={"candidate": Step(0.0)})
    progress.hear(materialized(19, part_of=SimpleNamespace(value="candidate")))
    progress.hear(materialized(500))
    assert progress.steps["candidate"].rows == 500
