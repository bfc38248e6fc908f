"""Dagster assets of the first steps: the landing zone, and the models in two halves with the staging checks between.

Belongs here: running dbt, rows built as metadata.
Does not belong here: what is selected (dbt_arguments.py), names (translator.py), our own checks (orchestration/audit/).
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib.metadata import version as installed_version
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    Failure,
    MaterializeResult,
    Output,
    RetryRequested,
    asset,
)
from dagster_dbt import DbtCliResource, dbt_assets
from dagster_dbt.core.dbt_cli_invocation import PARTIAL_PARSE_FILE_NAME
from packaging.version import Version

from orchestration.retries import is_transient, retried
from orchestration.run import RefreshRun, environment
from orchestration.settings import ALREADY_LANDED, PROJECT_DIR, Settings
from orchestration.warehouse.dbt_arguments import MARTS, STAGING, Half, build_arguments
from orchestration.warehouse.project import DBT_COMMAND
from orchestration.warehouse.tables import NotBuilt, built_tables, current_as_of, row_counts
from orchestration.warehouse.translator import Translator

ROW_COUNT = "dagster/row_count"
WARNINGS = "warnings"
# dagster-dbt's name for the seconds that dbt took for a node.
DURATION = "Execution Duration"


class DbtChild(DbtCliResource):
    """dbt as a child process that ends with the refresh, without the second or two that dagster-dbt spends on asking
    for dbt's version and loading its adapter into this process."""

    @cached_property
    def _cli_version(self) -> Version:
        return Version(installed_version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Any) -> Any:
        return None


def dbt_resource() -> DbtChild:
    """dbt for this project; its paths and target come from the environment at each call."""
    executable, *flags = DBT_COMMAND
    return DbtChild(
        project_dir=str(PROJECT_DIR),
        profiles_dir=str(PROJECT_DIR / "profiles"),
        dbt_executable=executable,
        global_config_flags=flags,
    )


@asset(name="landing", group_name="landing", kinds={"parquet"})
def landing(context: AssetExecutionContext, refresh: RefreshRun) -> MaterializeResult:
    """The landing zone, normalised: one row a row of the files, text as it came, with its file and row number."""
    from orchestration.landing.errors import LandingError
    from orchestration.landing.prepare import prepare

    with retried(context):
        try:
            report = prepare(refresh.settings)
        except LandingError as error:
            raise Failure(str(error), allow_retries=is_transient(error)) from None
    refresh.note_landing(report.fingerprint)
    for warning in report.warnings:
        context.log.warning(f"landing zone: {warning}")
    rows = {table: report.rows(table) for table in sorted(report.files)}
    return MaterializeResult(
        metadata={
            ROW_COUNT: sum(rows.values()),
            "rows": rows,
            "files_read": report.files_read,
            "seconds": round(report.seconds, 3),
            WARNINGS: list(report.warnings),
        }
    )


def model_assets(manifest: dict[str, Any], half: Half) -> AssetsDefinition:
    """One half of the build as Dagster assets, with dbt's tests as their checks (severity error blocks)."""

    @dbt_assets(
        manifest=manifest,
        select=half.select,
        exclude=half.exclude,
        name=half.name,
        dagster_dbt_translator=Translator(),
    )
    def models(context: AssetExecutionContext, dbt: DbtChild, refresh: RefreshRun) -> Iterator[Any]:
        settings = refresh.settings
        # A folder for each half beside the build file, for dbt's artifacts and its log.
        target_path = settings.build_file.parent / "target" / half.name
        # dbt starts from the full parse that the manifest was made from (dagster-dbt copies it where there is none):
        # a parse kept from an earlier build does not see a new scheme in the model that unites them.
        (target_path / PARTIAL_PARSE_FILE_NAME).unlink(missing_ok=True)
        landed = {ALREADY_LANDED: "1"} if refresh.landing_fingerprint else {}

        def events() -> Iterator[Any]:
            with retried(context):
                with environment(settings, **landed):
                    invocation = dbt.cli(
                        build_arguments(settings.dbt_target),
                        context=context,
                        manifest=manifest,
                        target_path=target_path,
                    )
                yield from invocation.stream()

        describe = _as_of if half is MARTS else lambda _: {}
        yield from with_row_counts(events(), lambda tables: _count(settings, tables), lambda: describe(settings))

    return models


def staging_and_marts(manifest: dict[str, Any]) -> list[AssetsDefinition]:
    """Both halves."""
    return [model_assets(manifest, half) for half in (STAGING, MARTS)]


def with_row_counts(
    events: Iterator[Any],
    count: Callable[[list[str]], dict[str, int]],
    describe: Callable[[], Mapping[str, Any]] = dict,
) -> Iterator[Any]:
    """dbt's events, with the rows of each table, the seconds it took and what `describe` says of all as metadata.

    The tables can be counted only when dbt has let go of the file, so materialisations are handed on at the end, also
    when dbt failed half-way; checks are handed on at once. Where another try follows, nothing was made.

    Raises:
        Exception: whatever `events` raised, after the tables that were built.
    """
    built: list[Output[Any]] = []
    failure: Exception | None = None
    try:
        for event in events:
            if isinstance(event, Output):
                built.append(event)
            else:
                yield event
    except RetryRequested:
        raise
    except Exception as error:
        failure = error
    # An output is named for its asset, which is named for the table.
    rows = count([output.output_name for output in built]) if built else {}
    common = describe() if built else {}
    for output in built:
        known = {ROW_COUNT: rows[output.output_name]} if output.output_name in rows else {}
        seconds: dict[str, Any] = {"seconds": output.metadata[DURATION].value} if DURATION in output.metadata else {}
        yield output.with_metadata({**output.metadata, **seconds, **common, **known})
    if failure is not None:
        raise failure


def _as_of(settings: Settings) -> dict[str, Any]:
    """The as-of date as metadata; nothing where the models stopped before it was known."""
    import duckdb

    try:
        with built_tables(settings) as con:
            return {"as_of": current_as_of(con).isoformat()}
    except (NotBuilt, duckdb.CatalogException):
        return {}


def _count(settings: Settings, tables: list[str]) -> dict[str, int]:
    with built_tables(settings) as con:
        return row_counts(con, tables)
