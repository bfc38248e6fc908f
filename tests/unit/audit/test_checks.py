"""Rules as Dagster checks: what is critical blocks, what is a warning does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dagster import AssetCheckResult, AssetCheckSeverity, AssetKey, Failure, RetryRequested

from orchestration.audit.runner import RuleResult
from orchestration.audit.suites import CANDIDATE, STAGING, Rule
from orchestration.audit.told import has_warned
from orchestration.defs import checks
from orchestration.defs.checks import (
    CANDIDATE_KEY,
    as_warning,
    audit_checks,
    check_result,
    in_words,
    spec,
    what_to_do,
    why_stopped,
)
from orchestration.defs.run import NOT_KNOWN
from orchestration.treatments.check import Finding

CRITICAL = Rule("one", "segments", "critical", "because", "ExpectTableRowCountToBeBetween")
WARNING = Rule("two", "segments", "warning", "because", "ExpectTableRowCountToBeBetween")


def test_a_critical_rule_blocks_and_fails_as_an_error() -> None:
    assert spec(CRITICAL, CANDIDATE_KEY).blocking
    result = check_result(RuleResult(CRITICAL, False, "found nothing"), CANDIDATE_KEY)
    assert not result.passed
    assert result.severity == AssetCheckSeverity.ERROR


def test_a_warning_does_not_block() -> None:
    assert not spec(WARNING, CANDIDATE_KEY).blocking
    assert check_result(RuleResult(WARNING, False, "odd"), CANDIDATE_KEY).severity == AssetCheckSeverity.WARN


def test_dagster_does_not_call_a_warning_failed_and_its_words_say_what_it_is() -> None:
    warned = check_result(RuleResult(WARNING, False, "3 of 4 lines. Land them."), CANDIDATE_KEY)
    assert warned.passed and has_warned(warned)
    assert warned.description == "Warning, the refresh went on: 3 of 4 lines. Land them."
    assert warned.metadata["message"].value == "3 of 4 lines. Land them."
    assert not has_warned(check_result(RuleResult(WARNING, True), CANDIDATE_KEY))
    assert not has_warned(check_result(RuleResult(CRITICAL, False, "no"), CANDIDATE_KEY))


def test_a_test_of_dbt_that_warns_is_none_that_failed_and_says_what_to_do() -> None:
    rows = {"dagster_dbt/failed_row_count": 2}
    found = AssetCheckResult(
        passed=False,
        severity=AssetCheckSeverity.WARN,
        asset_key="int_memberships",
        check_name="category_meanings_cover_spend",
        metadata=rows,
    )
    warned = as_warning(found)
    assert warned.passed and has_warned(warned)
    assert str(warned.description).startswith("Warning, the refresh went on: 2 rows. Give the categories")
    failed = found._replace(severity=AssetCheckSeverity.ERROR)
    assert as_warning(failed) is failed


def test_the_failure_of_a_step_names_the_checks_that_stopped_it_and_what_they_found() -> None:
    warned = check_result(RuleResult(WARNING, False, "odd"), CANDIDATE_KEY)
    failed = check_result(RuleResult(CRITICAL, False, "3 rows of a.csv"), CANDIDATE_KEY)

    def events(*told: AssetCheckResult, error: Exception | None = None) -> Iterator[AssetCheckResult]:
        yield from told
        if error:
            raise error

    assert list(in_words(events(warned))) == [warned]
    for error in (None, RuntimeError("dbt --select a failed with exit code 1")):
        stream = in_words(events(warned, failed, error=error))
        assert [next(stream), next(stream)] == [warned, failed]
        with pytest.raises(Failure) as stopped:
            next(stream)
        said = str(stopped.value.description)
        assert "one on segments: 3 rows of a.csv" in said and "odd" not in said and "exit code" not in said
        assert stopped.value.allow_retries is False
    with pytest.raises(RuntimeError, match="no check"):
        list(in_words(events(warned, error=RuntimeError("no check"))))
    with pytest.raises(RetryRequested):
        list(in_words(events(failed, error=RetryRequested())))
    assert "5 more" in why_stopped([failed] * 10)


@pytest.mark.parametrize(
    ("published", "stays"),
    [("v7", "what is published stays: v7."), (None, "nothing is pub"), (NOT_KNOWN, "what was published stays.")],
)
def test_the_failure_says_what_is_published_and_where_the_check_stands(
    published: str | None, stays: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "published_id", lambda: published)
    said = why_stopped([check_result(RuleResult(CRITICAL, False, "3 rows of a.csv"), CANDIDATE_KEY)])
    assert said.startswith(f"A check stopped the refresh; {stays}")
    assert "the asset candidate, Checks" in said and "then refresh again" in said


def test_treatments_are_to_be_edited_only_where_they_are_what_is_wrong() -> None:
    consent = Finding("warn", "", (), ("channel",), "no consents are on record")
    alike = Finding("warn", "rfm", ("a", "b"), ("message",), "rfm: a and b are treated alike")
    assert what_to_do([consent]) == "no consents are on record"
    assert what_to_do([consent, alike]).splitlines()[2].startswith("Edit treatments.csv")


def test_a_result_goes_to_the_check_of_its_rule_with_its_message() -> None:
    result = check_result(RuleResult(CRITICAL, False, "3 rows", ("a", "b")), CANDIDATE_KEY)
    assert (result.check_name, result.asset_key) == ("one", CANDIDATE_KEY)
    assert result.metadata["message"].value == "3 rows"


def test_a_rule_that_could_not_be_evaluated_has_failed_by_its_severity() -> None:
    result = check_result(RuleResult(CRITICAL, False, "not evaluated: no such table", is_error=True), CANDIDATE_KEY)
    assert not result.passed
    assert result.severity == AssetCheckSeverity.ERROR


def test_every_rule_is_a_check_on_its_table_or_on_the_candidate() -> None:
    keys = {key for checks in audit_checks() for key in checks.check_keys}
    assert {(AssetKey(rule.table), rule.id) for rule in STAGING} <= {(k.asset_key, k.name) for k in keys}
    assert {rule.id for rule in CANDIDATE} <= {k.name for k in keys if k.asset_key == CANDIDATE_KEY}


def test_the_treatment_check_blocks_the_candidate() -> None:
    specs = {s.name: s for checks in audit_checks() for s in checks.check_specs}
    assert specs["treatments_differ_and_reach"].blocking
    assert specs["treatments_differ_and_reach"].asset_key == CANDIDATE_KEY
