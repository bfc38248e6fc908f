"""What a run said: counts and warnings, read from Dagster's events."""

from __future__ import annotations

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    DagsterInstance,
    MaterializeResult,
    asset,
    asset_check,
    materialize,
)

from orchestration.audit.told import Problem, Told
from orchestration.defs.told import told


@asset
def landing() -> MaterializeResult:
    return MaterializeResult(metadata={"warnings": ["notes.md: file ignored"]})


def check(name: str, passed: bool, severity: AssetCheckSeverity, **metadata: object):  # type: ignore[no-untyped-def]
    @asset_check(asset=landing, name=name)
    def run() -> AssetCheckResult:
        return AssetCheckResult(passed=passed, severity=severity, metadata=metadata)  # type: ignore[arg-type]

    return run


def test_checks_are_counted_and_warnings_told_in_words() -> None:
    checks = [
        check("sound", True, AssetCheckSeverity.ERROR),
        check("odd", False, AssetCheckSeverity.WARN, message="3 of 4 lines. Land them.", table="stg_order_lines"),
        check("category_meanings_cover_spend", False, AssetCheckSeverity.WARN, **{"dagster_dbt/failed_row_count": 2}),
        check("told", True, AssetCheckSeverity.WARN, message="old", warned=True),
        check("wrong", False, AssetCheckSeverity.ERROR, message="no"),
        check("columns_hold_a_", True, AssetCheckSeverity.ERROR, checks=4),
        check("columns_hold_b_", False, AssetCheckSeverity.ERROR, checks=5, checks_failed=2, message="x: ..."),
    ]
    with DagsterInstance.ephemeral() as instance:
        run = materialize([landing, *checks], instance=instance, raise_on_error=False)
        found = told(instance, run.run_id)
    assert (found.passed, found.warned, found.failed) == (1 + 4 + 3, 3, 1 + 2)
    first, *others = found.warnings
    assert first == Problem("landing", "notes.md: file ignored")
    by_name = {problem.where: problem.message for problem in others}
    assert by_name["odd on stg_order_lines"] == "3 of 4 lines. Land them."
    assert by_name["told on landing"] == "old"
    assert by_name["category_meanings_cover_spend on landing"].startswith("2 rows. Give the categories")


def test_a_run_that_said_nothing_has_no_warnings() -> None:
    with DagsterInstance.ephemeral() as instance:
        assert told(instance, "none") == Told()
