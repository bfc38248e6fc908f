"""What `make refresh` shows: a line a step, then the scorecard, or on one screen why it stopped.

Belongs here: listening to Dagster's events, words and columns.
Does not belong here: running anything.
"""

from __future__ import annotations

import os
import re
import shutil
import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from orchestration.audit.told import (
    PART_OF,
    PLACE,
    ROW_COUNT,
    SO_FAR,
    Problem,
    check_message,
    check_name,
    counted,
    has_warned,
    step_warnings,
)
from orchestration.settings import Settings
from orchestration.storage.sql import first_row

if TYPE_CHECKING:
    import duckdb

# Dagster's step -> what a reader calls it, in the order of the line.
STEPS = {
    "landing": "landing",
    "staging": "staging",
    "audit_staging": "audit of staging",
    "marts": "models",
    "candidate": "candidate",
    "audit_candidate": "audit of candidate",
    "candidate_treatments_differ_and_reach": "treatment check",
    "candidate_nobody_is_addressed_without_consent": "consent check",
    "audience_export": "audiences",
    "report": "report",
    "published": "published",
    "published_postgres": "PostgreSQL",
    "audiences_handed_over": "hand-over",
}
# Steps after the link was switched: where one fails, the refresh is published, and somebody still has the old state.
AFTERWARDS = ("published_postgres", "audiences_handed_over")
PROBLEMS_SHOWN = 12
MESSAGES_SHOWN = 10
WARNINGS_SHOWN = 5
# What is coloured on a terminal, as a pattern, and ANSI's number of its colour.
COLOURS = {
    r"STOPPED$|^Not published.*:$|\b[1-9][0-9]* failed": 31,
    r"^Warnings:$|\b[1-9][0-9]* warned": 33,
    r"^Published \S+": 32,
}
SCREEN = 110
SCORECARD_COLUMNS = ("scheme", "members", "behaviour", "assigned", "delivered", "pays", "verdict")


@dataclass
class Step:
    """What is known of a step while it runs."""

    began: float
    rows: int = 0
    passed: int = 0
    warned: int = 0
    failed: int = 0


@dataclass
class Progress:
    """Hears Dagster's events of one run and writes a line when a step ends."""

    screen: TextIO
    began: float = field(default_factory=time.monotonic)
    steps: dict[str, Step] = field(default_factory=dict)
    failures: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    # What a step calls itself -> where it has put what it made.
    places: dict[str, str] = field(default_factory=dict)
    # Characters of the line that says how far a step is.
    shown: int = 0

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began

    def say(self, text: str) -> None:
        """Write text to the terminal, at once, in the place of a line that says how far a step is."""
        shown = coloured(text) if self.screen.isatty() and has_colour(os.environ) else text
        self.screen.write(self._erase() + shown + "\n")
        self.screen.flush()

    def show(self, text: str) -> None:
        """On a terminal, say how far a step is, until the next line takes its place; elsewhere nothing."""
        if self.screen.isatty():
            line = text[: _width()]
            self.screen.write(self._erase() + line)
            self.screen.flush()
            self.shown = len(line)

    def _erase(self) -> str:
        blank, self.shown = self.shown, 0
        return f"\r{' ' * blank}\r" if blank else ""

    def hear(self, entry: Any) -> None:
        """Take in one entry of Dagster's event log."""
        event = entry.dagster_event
        if event is None:
            self._hear_message(entry)
            return
        kind, key = event.event_type_value, event.step_key
        if kind == "STEP_START":
            self.steps[key] = Step(time.monotonic())
        elif kind == "ASSET_MATERIALIZATION" and key in self.steps:
            if PART_OF not in event.materialization.metadata:
                self.steps[key].rows += _row_count(event.materialization.metadata)
            if PLACE in event.materialization.metadata:
                self.places[STEPS.get(key, key)] = str(event.materialization.metadata[PLACE].value)
            self.warnings += [
                Problem(STEPS.get(key, key), text) for text in step_warnings(event.materialization.metadata)
            ]
        elif kind == "ASSET_CHECK_EVALUATION" and key in self.steps:
            self._hear_check(self.steps[key], event.asset_check_evaluation_data)
        elif kind in ("STEP_SUCCESS", "STEP_FAILURE") and key in self.steps:
            if kind == "STEP_FAILURE":
                self._hear_failure(key, event.step_failure_data)
            self.say(step_line(key, self.steps[key], time.monotonic() - self.steps[key].began, kind == "STEP_SUCCESS"))
        elif kind == "PIPELINE_INIT_FAILURE":
            self.failures.append(Problem("refresh", first_lines(event.message or kind)))
        elif kind == "PIPELINE_FAILURE" and not self.failures:
            # Before the first step, such as where another refresh holds the warehouse.
            error = event.job_failure_data.error if event.job_failure_data is not None else None
            text = error_text(error) if error is not None else event.message
            self.failures.append(Problem("refresh", first_lines(text or kind)))

    def _hear_message(self, entry: Any) -> None:
        if entry.step_key in self.steps and entry.user_message.startswith(SO_FAR):
            seconds = time.monotonic() - self.steps[entry.step_key].began
            name = STEPS.get(entry.step_key, entry.step_key)
            self.show(f"  {name:<20}{seconds:>7.0f} s   {entry.user_message.removeprefix(SO_FAR)}")

    def _hear_check(self, step: Step, evaluation: Any) -> None:
        held, failed = counted(evaluation)
        step.passed += held
        if evaluation.passed and not has_warned(evaluation):
            return
        problem = Problem(check_name(evaluation), check_message(evaluation))
        if has_warned(evaluation):
            step.warned += 1
            self.warnings.append(problem)
        else:
            step.failed += failed
            self.failures.append(problem)

    def _hear_failure(self, key: str, data: Any) -> None:
        # A failed check has been told in better words than the exception that followed from it.
        if self.steps[key].failed:
            return
        self.failures.append(Problem(STEPS.get(key, key), first_lines(failure_text(data))))


def has_colour(environ: Mapping[str, str]) -> bool:
    """Whether a terminal is to have colour: not where NO_COLOR is set (https://no-color.org), or it is a dumb one."""
    return not environ.get("NO_COLOR") and environ.get("TERM", "") not in ("", "dumb")


def coloured(text: str) -> str:
    """What stopped in red, what warned in yellow, what was published in green; the words stay as they are."""
    for words, colour in COLOURS.items():
        text = re.sub(words, f"\x1b[{colour}m\\g<0>\x1b[0m", text, flags=re.MULTILINE)
    return text


def step_line(key: str, step: Step, seconds: float, succeeded: bool) -> str:
    """One line a step: name, seconds, rows, checks."""
    parts = [f"{step.rows:,} rows" if step.rows else ""]
    checks = step.passed + step.warned + step.failed
    if checks:
        found = [f"{step.failed} failed"] * bool(step.failed) + [f"{step.warned} warned"] * bool(step.warned)
        parts.append(f"{checks} checks" + (f", {', '.join(found)}" if found else ""))
    mark = "" if succeeded else "STOPPED"
    columns = [f"  {STEPS.get(key, key):<20}{seconds:>7.1f} s", f"{parts[0]:>17}", *parts[1:], mark]
    return "   ".join(c for c in columns if c).rstrip()


def opening(refresh_id: str, settings: Settings) -> str:
    """The first line: which refresh, of what."""
    source = settings.simulated or ("the demo data" if settings.is_demo else str(settings.source_dir))
    as_of = settings.as_of.isoformat() if settings.as_of else "the day after the last order"
    return f"Refresh {refresh_id}: {source}, as of {as_of}, times in {settings.store_timezone}"


def published(
    version: Path,
    settings: Settings,
    log: Path,
    seconds: float,
    warnings: Sequence[Problem] = (),
    elsewhere: Mapping[str, str] | None = None,
) -> str:
    """The scorecard, what was warned of, and where everything is."""
    import duckdb

    from orchestration.storage.versions import DATABASE_NAME, read_manifest

    manifest = read_manifest(version)
    with duckdb.connect(str(version / DATABASE_NAME), read_only=True) as con:
        cursor = con.execute("from scheme_scorecard order by scheme")
        names = [column[0] for column in cursor.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        cursor = con.execute("from refreshes where refresh_id = ?", [manifest["refresh_id"]])
        names = [column[0] for column in cursor.description or []]
        account = dict(zip(names, first_row(cursor) or (None,) * len(names), strict=True))
        prospects = prospect_lines(con)
    checks = manifest["checks"]
    link = settings.published_link
    places = [
        ("tables", str(link / DATABASE_NAME)),
        ("report", str(link / "report.html") if (version / "report.html").is_file() else "none"),
        *(elsewhere or {}).items(),
        ("log", str(log)),
    ]
    width = max(8, *(len(name) + 1 for name, _ in places))
    return "\n".join(
        [
            "",
            f"Published {manifest['refresh_id']} in {seconds:.0f} s: "
            f"{settings.simulated + ', ' if settings.simulated else ''}as of {manifest['as_of']}, "
            f"{len(manifest['tables'])} tables, {checks['passed']} checks passed, {checks['warned']} warned",
            *rows_read(account),
            "",
            scorecard(rows),
            *prospects,
            *warned(warnings),
            "",
            *(f"  {name:<{width}}{place}" for name, place in places),
        ]
    )


def spilled(told: str) -> str:
    """That memory did not suffice, and what was done about it."""
    return textwrap.fill(told, _width(), initial_indent="  ", subsequent_indent="  ")


def rows_read(account: Mapping[str, Any]) -> list[str]:
    """What became of the rows that were read, from a row of `refreshes`; what there is none of is not mentioned."""
    if not account.get("rows_landed"):
        return []

    def told(words: str, column: str) -> list[str]:
        return [words.format(f"{account[column]:,}")] if account.get(column) else []

    parts = [
        f"{account['rows_landed']:,} rows read, {account['rows_staged']:,} used",
        *told("{} refused (table quarantine)", "rows_quarantined"),
        *told("{} exact copies dropped", "rows_duplicate"),
    ]
    of_lines = [
        *told("{} not counted by their status (seeds/order_statuses.csv)", "rows_not_counted"),
        *told("{} no customer's (an empty customer_id or seeds/guest_ids.csv)", "rows_anonymous"),
    ]
    text = ", ".join(parts) + (f"; of the order lines used, {' and '.join(of_lines)}" if of_lines else "")
    return textwrap.wrap(text, _width())


def prospect_lines(con: duckdb.DuckDBPyConnection) -> list[str]:
    """How many prospects have a segment, and why the others have none; nothing where there are no prospects."""
    if not con.execute("select 1 from duckdb_tables() where table_name = 'prospect_segments'").fetchall():
        return []
    found = con.execute(
        """
        select outcome, count(*), string_agg(distinct scheme, ', ' order by scheme), count(persona_id)
        from prospect_segments group by outcome order by count(*) desc, outcome
        """
    ).fetchall()
    if not found:
        return []
    scored = sum(n for outcome, n, *_ in found if outcome == "scored")
    schemes = ", ".join(schemes for outcome, _, schemes, _ in found if outcome == "scored")
    others = ", ".join(f"{n:,} {outcome}" for outcome, n, *_ in found if outcome != "scored")
    text = f"{scored:,} of {sum(n for _, n, *_ in found):,} prospects have a segment"
    text += (f" ({schemes})" if schemes else "") + (f"; the others: {others}" if others else "")
    text += f"; {sum(near for *_, near in found):,} are near a persona."
    return ["", *textwrap.wrap(text, _width(), initial_indent="  ", subsequent_indent="  ")]


def warned(warnings: Sequence[Problem]) -> list[str]:
    """The first lines of a few warnings; the rest is in the log."""
    if not warnings:
        return []
    lines = ["", "Warnings:"]
    for problem in warnings[:WARNINGS_SHOWN]:
        messages = problem.message.splitlines() or [""]
        lines += _problem_lines(Problem(problem.where, "\n".join(messages[:MESSAGES_SHOWN])))
        if len(messages) > MESSAGES_SHOWN:
            lines.append(f"      and {len(messages) - MESSAGES_SHOWN} more, in the log")
    if len(warnings) > WARNINGS_SHOWN:
        lines.append(f"  and {len(warnings) - WARNINGS_SHOWN} more, in the log")
    return lines


def in_full(heading: str, problems: Sequence[Problem]) -> str:
    """All problems with every line of their messages, for the log; empty where there are none."""
    told = [line for problem in problems for line in _problem_lines(problem)]
    return "\n".join([f"{heading}:", *told]) if told else ""


def scorecard(rows: Sequence[Mapping[str, Any]]) -> str:
    """The scorecard as an aligned table, with the reason of each verdict below its row.

    Schemes of which nothing is known, and those of whose audience there is nobody, are named in a line each at the end.
    """
    without_audience = [str(row["scheme"]) for row in rows if has_no_audience(row)]
    nothing_known = [str(row["scheme"]) for row in rows if not row["members"] and not has_no_audience(row)]
    rows = [row for row in rows if row["members"]]
    table = [
        (
            str(row["scheme"]),
            f"{row['members']:,}",
            _behaviour(row),
            _share(row["assigned_distinct"]),
            _share(row["delivered_distinct"]),
            str(row["pays"]),
            str(row["verdict"]),
        )
        for row in rows
    ]
    widths = [max(len(line[i]) for line in [SCORECARD_COLUMNS, *table]) for i in range(len(SCORECARD_COLUMNS))]
    lines = ["  " + _aligned(SCORECARD_COLUMNS, widths)]
    for row, cells in zip(rows, table, strict=True):
        lines.append("  " + _aligned(cells, widths))
        lines += textwrap.wrap(str(row["why"] or ""), _width(), initial_indent="      ", subsequent_indent="      ")
    for names, told in (
        (nothing_known, "Nothing is known of {}: docs/schemes.md says which columns they are read from."),
        (without_audience, "Nobody to divide by {}: there are no members of their audience."),
    ):
        if names:
            text = told.format(", ".join(names))
            lines += ["", *textwrap.wrap(text, _width(), initial_indent="  ", subsequent_indent="  ")]
    return "\n".join(lines)


def has_no_audience(row: Mapping[str, Any]) -> bool:
    """Whether a row of the scorecard is of a scheme that has nobody to divide, so that no share can be covered."""
    return row["members"] == 0 and row.get("coverage", 0) is None


def not_elsewhere(failures: Sequence[Problem], log: Path) -> str:
    """What failed after the version was published: who still has the old state, and why."""
    told = [line for problem in failures for line in _problem_lines(problem)]
    return "\n".join(
        ["", "Published here, but not everywhere; the state there is the one before:", *told, f"  log     {log}"]
    )


def stopped(failures: Sequence[Problem], log: Path, published_id: str | None, settings: Settings) -> str:
    """On one screen: what stopped the refresh, and that what was published is as it was."""
    lines = ["", "Not published:"]
    for problem in failures[:PROBLEMS_SHOWN]:
        messages = problem.message.splitlines() or [""]
        lines += _problem_lines(Problem(problem.where, "\n".join(messages[:MESSAGES_SHOWN])))
        if len(messages) > MESSAGES_SHOWN:
            lines.append(f"      and {len(messages) - MESSAGES_SHOWN} more, in the log")
    if len(failures) > PROBLEMS_SHOWN:
        lines.append(f"  and {len(failures) - PROBLEMS_SHOWN} more, in the log")
    state = f"{settings.published_link} still shows {published_id}" if published_id else "nothing was published before"
    return "\n".join([*lines, "", f"The published state is untouched: {state}.", f"  log     {log}"])


def failure_text(data: Any) -> str:
    """The words of a failed step: the cause, where there is one, without Dagster's frame around it."""
    if data.user_failure_data is not None and data.user_failure_data.description:
        return own_words(str(data.user_failure_data.description))
    return "failed" if data.error is None else error_text(data.error)


def error_text(error: Any) -> str:
    """The words of the cause behind an error of Dagster's."""
    while error.cause is not None:
        error = error.cause
    text = own_words(str(error.message))
    # Dagster puts the name of the exception's class in front.
    head, _, rest = text.partition(": ")
    return rest if rest and head.replace(".", "").replace("_", "").isalnum() else text


def own_words(text: str) -> str:
    """dbt's own errors out of dagster-dbt's message about the process."""
    for marker in ("Errors parsed from dbt logs:", "Encountered an error:"):
        text = text.split(marker, 1)[-1]
    return text.strip()


def first_lines(text: str, lines: int = 8) -> str:
    """The beginning of a long message, without blank lines."""
    kept = [line.rstrip() for line in text.strip().splitlines() if line.strip()]
    return "\n".join(kept[:lines])


def _problem_lines(problem: Problem) -> list[str]:
    lines = [f"  {problem.where}"]
    for line in problem.message.splitlines() or [""]:
        lines += textwrap.wrap(line, _width(), initial_indent="      ", subsequent_indent="      ")
    return lines


def _row_count(metadata: Mapping[str, Any]) -> int:
    value = metadata.get(ROW_COUNT)
    return int(value.value) if value is not None and value.value is not None else 0


def _behaviour(row: Mapping[str, Any]) -> str:
    effect = row["behaviour_effect"]
    return "-" if effect is None else f"{effect:.3f} {row['behaviour_outcome'] or ''}".strip()


def _share(value: float | None) -> str:
    if value is None:
        return "-"
    said = f"{value:.0%}"
    return ">99%" if said == "100%" and value < 1 else said


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    # Numbers to the right, words to the left.
    right = {1, 3, 4}
    padded = [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
    return "  ".join(padded).rstrip()


def _width() -> int:
    return min(SCREEN, shutil.get_terminal_size((SCREEN, 40)).columns)
