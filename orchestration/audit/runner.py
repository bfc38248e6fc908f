"""Runs rules with Great Expectations, by SQL inside DuckDB, and says in words what each found.

Belongs here: everything that knows Great Expectations.
Does not belong here: the rules (suites.py), Dagster (checks.py).

Great Expectations takes seconds to import, so it is imported only when rules run.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

from orchestration import memory
from orchestration.audit.suites import Rule

EXAMPLES = 5
# Without the first two, Great Expectations fetches rows from a connection it has closed, and every rule fails.
ENGINE_OPTIONS: dict[str, Any] = {
    "isolation_level": "AUTOCOMMIT",
    "skip_autocommit_rollback": True,
}


@dataclass(frozen=True)
class RuleResult:
    """What a rule found. `message` is one line, empty when it passed; `examples` are a few rows or values at fault."""

    rule: Rule
    passed: bool
    message: str = ""
    examples: tuple[str, ...] = ()
    is_error: bool = False


class AuditError(RuntimeError):
    """Great Expectations gave no result for a rule."""


def run_rules(database: Path, rules: Sequence[Rule], as_of: date | None = None) -> list[RuleResult]:
    """The result of each rule on a DuckDB file, in the order of `rules`; the file is free again afterwards.

    A rule that Great Expectations cannot evaluate (a missing table, a mistake in its SQL) has not passed.

    Args:
        as_of: what AS_OF says; None where the refresh describes the day after the last line.

    Raises:
        FileNotFoundError: there is no such file.
        AuditError: a rule has no result.
    """
    if not database.is_file():
        raise FileNotFoundError(database)
    results: dict[str, RuleResult] = {}
    with _source(database) as (context, source):
        for table in dict.fromkeys(rule.table for rule in rules):
            of_table = [rule for rule in rules if rule.table == table]
            try:
                results |= _run_table(context, source, table, of_table, as_of)
            except Exception as error:
                results |= {
                    r.id: RuleResult(r, False, f"not evaluated: {_one_line(error)}", is_error=True) for r in of_table
                }
    missing = [rule.id for rule in rules if rule.id not in results]
    if missing:
        raise AuditError(f"no result for {', '.join(missing)}")
    return [results[rule.id] for rule in rules]


@contextmanager
def _source(database: Path) -> Iterator[tuple[Any, Any]]:
    """A Great Expectations context that lives in memory, and the database as its source."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    gx = import_great_expectations()
    # It warns of every query that reads a second table; the rules do so on purpose.
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    # Its type stubs leave out what the SQL source takes.
    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    opened = {"read_only": True, "config": memory.options()}
    source = context.data_sources.add_sql(
        name="database",
        connection_string=f"duckdb:///{database}",
        kwargs=ENGINE_OPTIONS | {"connect_args": opened},
    )
    try:
        yield context, source
    finally:
        # Two engines hold the file; both must let go.
        source.get_engine().dispose()
        source.get_execution_engine().engine.dispose()


def import_great_expectations() -> ModuleType:
    """Great Expectations, imported wherever this process runs.

    It imports pyspark where that is installed, and pyspark 4.3 takes a main module without a file (`python -c`, as
    child processes start) for its own doctests, and ends the process with code 0.
    """
    main: Any = sys.modules["__main__"]
    is_bare = getattr(main, "__spec__", None) is None and not hasattr(main, "__file__")
    if is_bare:
        main.__file__ = "-c"
    try:
        import great_expectations
    finally:
        if is_bare:
            del main.__file__
    return great_expectations


def _run_table(
    context: Any, source: Any, table: str, rules: Sequence[Rule], as_of: date | None
) -> dict[str, RuleResult]:
    import great_expectations as gx

    suite = gx.ExpectationSuite(name=table, expectations=[_expectation(rule, as_of) for rule in rules])
    context.suites.add(suite)
    batch = source.add_table_asset(name=table, table_name=table).add_batch_definition_whole_table("all").get_batch()
    report = batch.validate(suite, result_format="COMPLETE")
    # By id: Great Expectations returns results in an order of its own.
    by_id = {rule.id: rule for rule in rules}
    return {
        result.expectation_config.meta["id"]: _result(by_id[result.expectation_config.meta["id"]], result)
        for result in report.results
    }


def _expectation(rule: Rule, as_of: date | None) -> Any:
    import great_expectations.expectations as gxe

    arguments = dict(rule.arguments)
    if "unexpected_rows_query" in arguments:
        day = f"date '{as_of.isoformat() if as_of else 'infinity'}'"
        query = arguments["unexpected_rows_query"].replace("{as_of}", day)
        # One row more than is shown: enough to say that there are more.
        arguments["unexpected_rows_query"] = f"select * from ({query}) as broken limit {EXAMPLES + 1}"
    return getattr(gxe, rule.expectation)(**arguments, severity=rule.severity, meta={"id": rule.id})


def _result(rule: Rule, result: Any) -> RuleResult:
    if result.success:
        return RuleResult(rule, True)
    error = exception_text(result.exception_info)
    if error:
        return RuleResult(rule, False, f"not evaluated: {error}", is_error=True)
    examples = broken_examples(result.result or {})
    message = _message(rule, result.result or {}, examples)
    return RuleResult(rule, False, f"{message}. {rule.remedy}" if rule.remedy else message, examples)


def _message(rule: Rule, found: Mapping[str, Any], examples: tuple[str, ...]) -> str:
    if rule.expectation == "UnexpectedRowsExpectation":
        more = "; and more" if int(found.get("observed_value") or 0) > EXAMPLES else ""
        # Each may be a sentence, and only the last one ends with its point.
        return "; ".join([*(example.removesuffix(".") for example in examples[:-1]), *examples[-1:]]) + more
    count, total = found.get("unexpected_count"), found.get("element_count")
    if count is not None:
        shown = f", e.g. {', '.join(examples)}" if examples else ""
        return f"{count:,} of {total:,} rows{shown}"
    return f"found {found.get('observed_value')}"


def broken_examples(found: Mapping[str, Any]) -> tuple[str, ...]:
    """A few rows or values that break a rule, as text."""
    rows = (found.get("details") or {}).get("unexpected_rows")
    if rows is None:
        rows = found.get("partial_unexpected_list") or []
    return tuple(_as_text(row) for row in rows[:EXAMPLES] if row is not None)


def exception_text(info: Mapping[str, Any] | None) -> str:
    """The message of an exception inside Great Expectations, which it keeps flat or under the name of each metric."""
    if not info:
        return ""
    flat = info.get("exception_message")
    if flat:
        return _one_line(flat)
    for nested in info.values():
        if isinstance(nested, Mapping) and nested.get("exception_message"):
            return _one_line(nested["exception_message"])
    return ""


def _as_text(row: Any) -> str:
    if isinstance(row, Mapping):
        return str(row["problem"]) if "problem" in row else ", ".join(f"{k} {v}" for k, v in row.items())
    return str(row)


def _one_line(error: object) -> str:
    # SQLAlchemy adds the whole query and a link.
    return " ".join(str(error).split("[SQL:")[0].split())[:300]
