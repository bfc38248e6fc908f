"""The audit as Dagster asset checks: one for each rule, and the treatment check; what is critical blocks what follows.

Belongs here: severities as Dagster has them, metadata.
Does not belong here: rules (suites.py), how they run (runner.py), what the treatment check looks for.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    Failure,
    MetadataValue,
    RetryRequested,
    multi_asset_check,
)

from orchestration.audit.runner import RuleResult, run_rules
from orchestration.audit.suites import CANDIDATE, STAGING, Rule
from orchestration.audit.told import MESSAGE, WARNED, WENT_ON, check_message, check_name
from orchestration.defs.run import NOT_KNOWN, RefreshRun, published_id
from orchestration.defs.translator import CANDIDATE_KEY
from orchestration.overrides import treatment_places
from orchestration.settings import Settings, SettingsError
from orchestration.storage.versions import DATABASE_NAME
from orchestration.warehouse.tables import built_tables, current_as_of

if TYPE_CHECKING:
    from orchestration.treatments.check import Finding

TREATMENT_CHECK = "treatments_differ_and_reach"
# For the rules that have no remedy of their own: each failure says it with the rows.
NO_REMEDY = {
    "critical": "A failure stops the refresh, and what is published stays; its message names the rows and what to do.",
    "warning": "What it finds is a warning: the refresh goes on, and the asset published lists it with what to do.",
}
# So many of the checks that stopped a step are named in its failure.
NAMED = 5
NOT_REACHED = (
    "What it checks stands in the Catalog: the asset {asset}, Checks, where Execution history keeps this result under "
    'those of later runs. Checks after it were not reached: Dagster calls them "Execution failed", without metadata. '
    "Repair what is named, then refresh again: those may find more."
)
NEXT_STEP = "Edit treatments.csv (in SEEDS_DIR, else in seeds/); `make check` says in a second whether that helps."


def audit_checks() -> list[AssetChecksDefinition]:
    """All checks of both doors."""
    return [staging_audit(), candidate_audit(), treatment_check()]


def spec(rule: Rule, key: AssetKey) -> AssetCheckSpec:
    """A rule as Dagster lists it."""
    return AssetCheckSpec(
        name=rule.id,
        asset=key,
        description=f"{rule.why[0].upper()}{rule.why[1:]}. {rule.remedy or NO_REMEDY[rule.severity]}",
        blocking=rule.severity == "critical",
        metadata={"table": rule.table, "severity": rule.severity},
    )


def check_result(result: RuleResult, key: AssetKey) -> AssetCheckResult:
    """A rule's result as Dagster records it; one that could not be evaluated counts by its severity too."""
    rule = result.rule
    metadata: dict[str, Any] = {"table": rule.table, "why": rule.why}
    if not result.passed:
        metadata |= {MESSAGE: result.message, "examples": list(result.examples)}
    return as_warning(
        AssetCheckResult(
            asset_key=key,
            check_name=rule.id,
            passed=result.passed,
            severity=AssetCheckSeverity.ERROR if rule.severity == "critical" else AssetCheckSeverity.WARN,
            description=result.message or None,
            metadata=metadata,
        )
    )


def as_warning(result: AssetCheckResult) -> AssetCheckResult:
    """A result that Dagster does not call "Failed" where it is only a warning: passed, marked `warned`, and with words
    that begin with "Warning". All others stay as they are."""
    if result.passed or result.severity is not AssetCheckSeverity.WARN:
        return result
    message = check_message(result)
    return result._replace(
        passed=True,
        description=f"{WENT_ON}{message}",
        metadata={**(result.metadata or {}), WARNED: MetadataValue.bool(True), MESSAGE: MetadataValue.text(message)},
    )


def in_words(events: Iterator[Any]) -> Iterator[Any]:
    """A step's events; where checks stop it, its failure names them, in place of a command line or of names alone.

    Raises:
        Failure: checks of severity error did not pass.
        Exception: whatever `events` raised, where no check had failed.
    """
    stopping: list[AssetCheckResult] = []
    try:
        for event in events:
            if isinstance(event, AssetCheckResult) and not event.passed and event.severity is AssetCheckSeverity.ERROR:
                stopping.append(event)
            yield event
    except RetryRequested:
        raise
    except Exception:
        if not stopping:
            raise
    if stopping:
        raise Failure(why_stopped(stopping), allow_retries=False) from None


def why_stopped(stopping: Sequence[AssetCheckResult]) -> str:
    """Which checks stopped a step, what they found, and where to look."""
    named = [f"{check_name(result)}: {check_message(result)}" for result in stopping[:NAMED]]
    if len(stopping) > NAMED:
        named.append(f"and {len(stopping) - NAMED} more")
    count = "A check" if len(stopping) == 1 else f"{len(stopping)} checks"
    published = published_id()
    stays = f"what is published stays: {published}." if published else "nothing is published yet."
    if published == NOT_KNOWN:
        stays = "what was published stays."
    asset = stopping[0].asset_key.to_user_string() if stopping[0].asset_key else "of its table"
    return "\n".join([f"{count} stopped the refresh; {stays}", *named, NOT_REACHED.format(asset=asset)])


def staging_audit(rules: Sequence[Rule] = STAGING) -> AssetChecksDefinition:
    """Great Expectations on the staging tables, before anything is computed from them."""

    @multi_asset_check(name="audit_staging", specs=[spec(rule, AssetKey(rule.table)) for rule in rules])
    def audit_staging(context: AssetCheckExecutionContext, refresh: RefreshRun) -> Iterator[AssetCheckResult]:
        found = run_rules(refresh.settings.build_file, _selected(context, rules, None), refresh.settings.as_of)
        yield from in_words(check_result(result, AssetKey(result.rule.table)) for result in found)

    return audit_staging


def candidate_audit(rules: Sequence[Rule] = CANDIDATE) -> AssetChecksDefinition:
    """Great Expectations on the file that will be published."""

    @multi_asset_check(name="audit_candidate", specs=[spec(rule, CANDIDATE_KEY) for rule in rules])
    def audit_candidate(context: AssetCheckExecutionContext, refresh: RefreshRun) -> Iterator[AssetCheckResult]:
        found = run_rules(refresh.candidate / DATABASE_NAME, _selected(context, rules, CANDIDATE_KEY))
        yield from in_words(check_result(result, CANDIDATE_KEY) for result in found)

    return audit_candidate


def treatment_check() -> AssetChecksDefinition:
    """The treatment check, on the candidate."""

    def check_treatments(refresh: RefreshRun) -> AssetCheckResult:
        """Every segment has a treatment on the as-of date, no two of a scheme are alike, each can reach its members.
        If not, edit treatments.csv (in SEEDS_DIR, else in seeds/), and ask `make check`, which takes a second."""
        from orchestration.treatments.check import check_candidate

        with built_tables(refresh.settings, refresh.candidate / DATABASE_NAME) as con:
            report = check_candidate(con, current_as_of(con), _places(refresh.settings))
        blocking = [finding for finding in report.findings if finding.severity == "block"]
        warnings = [finding for finding in report.findings if finding.severity == "warn"]
        # Findings of schemes that only warn are a warning; notes are nothing.
        return AssetCheckResult(
            asset_key=CANDIDATE_KEY,
            check_name=TREATMENT_CHECK,
            passed=not blocking,
            severity=AssetCheckSeverity.ERROR if blocking else AssetCheckSeverity.WARN,
            description=(WENT_ON if warnings and not blocking else "") + report.summary().splitlines()[0],
            metadata={
                **({MESSAGE: what_to_do(blocking or warnings)} if blocking or warnings else {}),
                **({WARNED: True} if warnings and not blocking else {}),
                "table": "treatments",
                "findings": [
                    {
                        "severity": finding.severity,
                        "scheme": finding.scheme,
                        "segments": ", ".join(finding.segments),
                        "fields": ", ".join(finding.fields),
                        "message": finding.message,
                    }
                    for finding in report.findings
                ],
            },
        )

    return blocking_check(TREATMENT_CHECK, check_treatments)


def what_to_do(findings: "Sequence[Finding]") -> str:
    """The findings, a line each, and which file to edit where it is one of a scheme: all else is none of its rows."""
    return "\n".join(
        [*(finding.message for finding in findings), *([NEXT_STEP] if any(each.scheme for each in findings) else [])]
    )


def _places(settings: Settings) -> dict[str, str]:
    """Where each treatment is written; nothing where a file of them cannot be read any more: dbt has read it before."""
    try:
        return treatment_places(settings)
    except (SettingsError, OSError):
        return {}


def blocking_check(name: str, check: Callable[[RefreshRun], AssetCheckResult]) -> AssetChecksDefinition:
    """One check of the candidate that stops the refresh; its docstring is what Dagster says of it.

    Of the kind that may have several: a step of the plain kind is stopped by Dagster, in Dagster's words."""
    description = " ".join((check.__doc__ or "").split())
    listed = AssetCheckSpec(name, asset=CANDIDATE_KEY, description=description, blocking=True)

    @multi_asset_check(name=f"{CANDIDATE_KEY.to_python_identifier()}_{name}", specs=[listed])
    def checked(refresh: RefreshRun) -> Iterator[AssetCheckResult]:
        yield from in_words(iter([check(refresh)]))

    return checked


def _selected(context: AssetCheckExecutionContext, rules: Sequence[Rule], key: AssetKey | None) -> list[Rule]:
    """The rules whose checks this run asks for: the UI may run one alone."""
    chosen = context.selected_asset_check_keys
    return [rule for rule in rules if AssetCheckKey(key or AssetKey(rule.table), rule.id) in chosen]
