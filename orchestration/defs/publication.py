"""Dagster assets of the last steps: the candidate, the report, the published version.

Belongs here: what each step hands to the next, and its metadata.
Does not belong here: how it is done (candidate.py, publish.py, orchestration/report/).
"""

import importlib
import importlib.util
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    AssetsDefinition,
    AssetSpec,
    DagsterInstance,
    Failure,
    MaterializeResult,
    MetadataValue,
    TableColumn,
    TableColumnConstraints,
    TableSchema,
    asset,
)

from orchestration import memory
from orchestration.audit.told import PART_OF, ROW_COUNT, Problem, Told
from orchestration.contracts import write_contracts
from orchestration.defs.retries import retried
from orchestration.defs.run import RefreshRun
from orchestration.defs.schedules import FRESHNESS
from orchestration.defs.told import told
from orchestration.defs.translator import CANDIDATE_KEY, ENGINEERS, MARKETERS, PUBLISHED_TAG, docs, page
from orchestration.publication.candidate import CandidateError, prepare_folders, write_candidate
from orchestration.publication.ddl import PublishedTable, published_tables
from orchestration.publication.publish import DEFAULT_KEEP_VERSIONS, CheckCounts, publish, remove_unpublished
from orchestration.publication.questions import questions
from orchestration.publication.refreshes import known_refreshes, note, read_row_account, refresh_row, with_row
from orchestration.publication.restatements import Restatements, count_restatements
from orchestration.storage.assignments import note_assignments
from orchestration.storage.sql import first_row, quoted
from orchestration.storage.versions import DATABASE_NAME, published_version
from orchestration.warehouse.project import project_vars
from orchestration.warehouse.tables import built_tables, current_as_of

REPORT_NAME = "report.html"
REPORT_MODULE = "orchestration.report"
GROUP = "publication"
ACCOUNT_GROUP = "account"
AUDIENCE_EXPORT = AssetKey("audience_export")


def publication_assets(manifest: dict[str, Any]) -> list[AssetsDefinition]:
    """`candidate`, `report` and `published`, for the tables that the manifest publishes."""
    tables = published_tables(manifest)
    upstream = [
        AssetKey(node.get("alias") or node["name"])
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "seed")
    ]

    @asset(
        key=CANDIDATE_KEY,
        group_name=GROUP,
        kinds={"duckdb"},
        owners=[ENGINEERS],
        metadata=docs("questions"),
        deps=sorted(upstream),
    )
    def candidate(context: AssetExecutionContext, refresh: RefreshRun) -> MaterializeResult:
        """What may be published: one DuckDB file with keys and checks, and one parquet file a table."""
        began = time.monotonic()
        # Somebody who has the build file open for writing is usually gone within a minute.
        with retried(context):
            as_of, rows, restated = _make_candidate(context, refresh, tables, manifest)
        for name, table in tables.items():
            if table.is_account:
                made: dict[str, Any] = {ROW_COUNT: rows[name], "as_of": as_of.isoformat(), PART_OF: "candidate"}
                context.log_event(AssetMaterialization(AssetKey(name), metadata=made))
        return MaterializeResult(
            metadata={
                ROW_COUNT: sum(rows.values()),
                "as_of": as_of.isoformat(),
                "tables": rows,
                **{name: count for name, count in asdict(restated).items() if count is not None},
                "seconds": seconds_since(began),
            }
        )

    @asset(
        name="report",
        group_name=GROUP,
        kinds={"html"},
        owners=[MARKETERS],
        metadata=docs("report"),
        deps=[candidate],
    )
    def report(context: AssetExecutionContext, refresh: RefreshRun) -> MaterializeResult:
        """report.html, made from the audited candidate and what its audit said."""
        write = _report_writer()
        if write is None:
            context.log.warning(f"{REPORT_MODULE} is not there: published without {REPORT_NAME}")
            return MaterializeResult(metadata={"bytes": 0})
        began = time.monotonic()
        path = _needed(refresh.candidate) / REPORT_NAME
        write(
            refresh.candidate / DATABASE_NAME,
            path,
            told(context.instance, context.run_id),
            refresh.settings.published_link / DATABASE_NAME,
            refresh.settings.report_language,
        )
        return MaterializeResult(
            metadata={
                "bytes": path.stat().st_size,
                "as_of": candidate_as_of(refresh).isoformat(),
                "seconds": seconds_since(began),
            }
        )

    @asset(
        name="published",
        group_name=GROUP,
        kinds={"duckdb"},
        owners=[ENGINEERS],
        metadata=docs("questions"),
        deps=[candidate, AUDIENCE_EXPORT, report],
        freshness_policy=FRESHNESS,
    )
    def published(context: AssetExecutionContext, refresh: RefreshRun) -> MaterializeResult:
        """The candidate as a version of its own, read-only, with the link `published` on it."""
        began = time.monotonic()
        settings = refresh.settings
        folder = _needed(refresh.candidate)
        with memory.connect(folder / DATABASE_NAME, read_only=True) as con:
            rows = {name: _count(con, name) for name in tables}
            refreshes = con.execute("select * from refreshes").to_arrow_table()
            first = first_row(con.execute("select min(valid_from) from customer_segment_history"))
        as_of = candidate_as_of(refresh)
        version = publish(
            settings,
            folder,
            as_of,
            rows,
            check_counts(context.instance, context.run_id),
            keep_versions=int(project_vars().get("keep_versions", DEFAULT_KEEP_VERSIONS)),
            landing_fingerprint=refresh.landing_fingerprint,
            history_from=first[0] if first else None,
        )
        note(settings, refreshes)
        note_assignments(settings, version)
        said = told(context.instance, context.run_id)
        return MaterializeResult(
            metadata={
                ROW_COUNT: sum(rows.values()),
                "as_of": as_of.isoformat(),
                "version": version.name,
                "folder": MetadataValue.path(str(settings.published_link)),
                "report": MetadataValue.path(str(settings.published_link / REPORT_NAME)),
                "checks": {"passed": said.passed, "warned": said.warned, "failed": said.failed},
                **({"what_warned": MetadataValue.md(listed(said.warnings))} if said.warnings else {}),
                "seconds": seconds_since(began),
            }
        )

    return [candidate, report, published]


def listed(problems: Sequence[Problem]) -> str:
    """Warnings as a list in Markdown: where, and the message."""
    return "\n".join(f"- **{problem.where}**: {' '.join(problem.message.split())}" for problem in problems)


def account_assets(tables: Mapping[str, PublishedTable]) -> list[AssetSpec]:
    """The published tables that the step `candidate` makes and no model, so that the catalogue has all of them."""
    return [
        AssetSpec(
            AssetKey(table.name),
            deps=[CANDIDATE_KEY],
            description=" ".join(table.description.split()),
            group_name=ACCOUNT_GROUP,
            kinds={"python", "duckdb"},
            owners=[ENGINEERS],
            tags={PUBLISHED_TAG: ""},
            metadata={"dagster/column_schema": _schema(table), **page("outcomes")},
        )
        for table in tables.values()
        if table.is_account
    ]


def _schema(table: PublishedTable) -> TableSchema:
    return TableSchema(
        [
            TableColumn(
                name,
                kind,
                " ".join(table.descriptions.get(name, "").split()),
                TableColumnConstraints(nullable=name not in (*table.primary_key, *table.not_null)),
            )
            for name, kind in table.columns.items()
        ]
    )


def _make_candidate(
    context: AssetExecutionContext,
    refresh: RefreshRun,
    tables: Mapping[str, PublishedTable],
    manifest: Mapping[str, Any],
) -> tuple[date, dict[str, int], Restatements]:
    """The candidate's folder, from the build; returns the as-of date, rows by table, and what it says otherwise."""
    from orchestration.publication.account import account_tables

    settings = refresh.settings
    earlier = known_refreshes(settings)
    removed = remove_unpublished(settings, set(earlier["refresh_id"].to_pylist()))
    for version in removed:
        context.log.warning(f"version {version} was never published (an earlier refresh was stopped): removed")
    prepare_folders(settings, refresh.candidate)
    with built_tables(settings) as con:
        as_of = current_as_of(con)
        account = dict(account_tables(con, as_of, settings.build_file.parent / "account"))
        checks = check_counts(context.instance, context.run_id)
        restated = count_restatements(con, published_version(settings))
        row = refresh_row(
            refresh.refresh_id,
            as_of,
            refresh.started_at,
            datetime.now(UTC),
            read_row_account(con),
            checks,
            restated,
        )
        account["refreshes"] = with_row(earlier, row)
        try:
            currency = _currency(con)
            rows = write_candidate(con, refresh.candidate, tables, account, questions(), currency)
            write_contracts(manifest, refresh.candidate, currency)
        except CandidateError as error:
            raise Failure(f"the candidate cannot be made: {error}", allow_retries=False) from None
    return as_of, rows, restated


def _currency(con: duckdb.DuckDBPyConnection) -> str | None:
    """The one currency of all money; None where the lines name none."""
    row = first_row(con.execute("select max(reporting_currency) from refresh_settings"))
    return str(row[0]) if row and row[0] else None


def seconds_since(began: float) -> float:
    """Seconds since a moment of `time.monotonic()`, as metadata."""
    return round(time.monotonic() - began, 3)


def check_counts(instance: DagsterInstance, run_id: str) -> CheckCounts:
    """The checks that a run has evaluated so far: dbt's tests, Great Expectations' and our own."""
    said = told(instance, run_id)
    return CheckCounts(said.passed, said.warned, said.failed)


def candidate_as_of(refresh: RefreshRun) -> date:
    """The as-of date of this run's candidate."""
    with memory.connect(refresh.candidate / DATABASE_NAME, read_only=True) as con:
        found = first_row(con.execute("select as_of from refreshes where refresh_id = ?", [refresh.refresh_id]))
    assert found is not None
    as_of: date = found[0]
    return as_of


def current_version_name(refresh: RefreshRun) -> str | None:
    """Id of the version that is published now."""
    version = published_version(refresh.settings)
    return version.name if version else None


def _report_writer() -> Callable[[Path, Path, Told, Path, str], Any] | None:
    """`write_report(database, target, audit, before, language)` of the report module, where there is one."""
    if importlib.util.find_spec(REPORT_MODULE) is None:
        return None
    return getattr(importlib.import_module(REPORT_MODULE), "write_report", None)


def _needed(candidate: Path) -> Path:
    if not (candidate / DATABASE_NAME).is_file():
        raise Failure(
            f"this run has made no candidate ({candidate.name}): publish with the job `refresh`, from its beginning",
            allow_retries=False,
        )
    return candidate


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = first_row(con.execute(f"select count(*) from {quoted(table)}"))
    return int(row[0]) if row else 0
