"""Dagster assets of the first steps: the landing zone, and the models in two halves with the staging checks between.

Belongs here: running dbt, rows built as metadata.
Does not belong here: what is selected (dbt_arguments.py), names (translator.py), our own checks (orchestration/audit/).
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Set
from functools import cached_property
from graphlib import TopologicalSorter
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from dagster import (
    AssetCheckKey,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    AssetsDefinition,
    Failure,
    MaterializeResult,
    MetadataValue,
    Output,
    RetryRequested,
    asset,
)
from dagster_dbt import DbtCliResource, dbt_assets
from dagster_dbt.core.dbt_cli_invocation import PARTIAL_PARSE_FILE_NAME
from packaging.version import Version

from orchestration.audit.told import CHECKS, CHECKS_FAILED, MESSAGE, ROW_COUNT, SO_FAR, WARNINGS
from orchestration.defs.checks import as_warning, in_words
from orchestration.defs.retries import is_transient, retried
from orchestration.defs.run import Build, RefreshRun, environment
from orchestration.defs.translator import ENGINEERS, HISTORY_KEY, Translator, asset_key, page
from orchestration.settings import ALREADY_LANDED, PROJECT_DIR, Settings, read_settings
from orchestration.warehouse import edits
from orchestration.warehouse.checks import column_checks, column_messages
from orchestration.warehouse.dbt_arguments import MARTS, STAGING, Half, build_arguments
from orchestration.warehouse.handover import hand_over
from orchestration.warehouse.lineage import Origins
from orchestration.warehouse.project import DBT_COMMAND, own_arguments
from orchestration.warehouse.tables import NotBuilt, built_tables, current_as_of, refresh_day, row_counts

# The as-of date of a landing zone without AS_OF: its lines are not typed yet.
LATER = "the day after the last order line"
PROGRESS_SECONDS = 3.0
# How much dbt writes into its log file.
LOG_LEVEL = "DBT_LOG_LEVEL_FILE"
SEED_DIGESTS = "SEED_DIGESTS"
# Of a table or check that was taken over: the refresh that built it.
HOLDS_SINCE = "holds_since"
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


@asset(name="landing", group_name="landing", kinds={"parquet"}, owners=[ENGINEERS], metadata=page("landing"))
def landing(context: AssetExecutionContext, refresh: RefreshRun) -> MaterializeResult:
    """The landing zone, normalised: one row a row of the files, text as it came, with its file and row number."""
    from orchestration.landing.errors import LandingError
    from orchestration.landing.prepare import prepare
    from orchestration.treatments import TreatmentsFileError, check_named_treatments, read_treatments

    try:
        # First, because dbt would name neither the line nor the column of a file that it cannot load.
        read_treatments(refresh.settings.seeds_dir / "treatments.csv")
        check_named_treatments(refresh.settings.seeds_dir)
    except TreatmentsFileError as error:
        raise Failure(str(error), allow_retries=False) from None
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
            # The order lines are not typed yet: without AS_OF the date is known when they are staged.
            "as_of": refresh.settings.as_of.isoformat()
            if refresh.settings.as_of
            else "the day after the last order line",
            "seconds": round(report.seconds, 3),
            WARNINGS: list(report.warnings),
        }
    )


def model_assets(manifest: dict[str, Any], half: Half, origins: Origins | None = None) -> AssetsDefinition:
    """One half of the build as Dagster assets, with dbt's tests as their checks (severity error blocks)."""

    @dbt_assets(
        manifest=manifest,
        select=half.select,
        exclude=half.exclude,
        name=half.name,
        dagster_dbt_translator=Translator(read_settings().seeds_dir, manifest, origins),
    )
    def models(context: AssetExecutionContext, dbt: DbtChild, refresh: RefreshRun) -> Iterator[Any]:
        settings = refresh.settings
        # A folder for each half beside the build file, for dbt's artifacts and its log.
        target_path = settings.build_file.parent / "target" / half.name
        # dbt starts from the full parse that the manifest was made from (dagster-dbt copies it where there is none):
        # a parse kept from an earlier build does not see a new scheme in the model that unites them.
        (target_path / PARTIAL_PARSE_FILE_NAME).unlink(missing_ok=True)
        variables = {ALREADY_LANDED: "1"} if refresh.landing_fingerprint else {}
        # For the engine that does not see the files (large_seed_digest in macros/engine/hashing.sql).
        variables[SEED_DIGESTS] = json.dumps(edits.seed_digests(settings))
        # Each statement is logged where somebody asks for it (debug): 10,000 lines take seconds.
        variables[LOG_LEVEL] = os.environ.get(LOG_LEVEL, "") or "info"
        build = begun(context, refresh, half, manifest)
        edit = build.edit if build else None
        only = [manifest["nodes"][id] for id in edit.selected[half.name]] if edit else None
        if edit and half is STAGING:
            context.log.info(told_edit(edit, manifest))

        def events() -> Iterator[Any]:
            if only is not None and not only:
                return
            with retried(context):
                arguments = build_arguments(settings.dbt_target, own_vars=own_arguments(settings), only=only)
                with environment(settings, **variables):
                    if only is None:
                        invocation = dbt.cli(arguments, context=context, manifest=manifest, target_path=target_path)
                    else:
                        # With the context dagster-dbt would add the half's own selection.
                        invocation = dbt.cli(
                            arguments,
                            manifest=manifest,
                            dagster_dbt_translator=Translator(settings.seeds_dir),
                            target_path=target_path,
                        )
                        invocation.context = context
                tables = len(context.selected_asset_keys) if only is None else sum(map(is_table, only))
                stream = with_progress(invocation.stream(), tables, context.log.info)
                yield from with_messages(with_column_checks(stream, manifest), lambda: messages(target_path))

        found = with_what_holds(events(), context, build.edit.note, manifest) if build and build.edit else events()
        noted = with_notes(found, build.checks) if build else found
        warned = (as_warning(event) if isinstance(event, AssetCheckResult) else event for event in noted)
        counted = with_row_counts(warned, lambda tables: _count(settings, tables), lambda: _as_of(settings, half))
        yield from in_words(counted)
        if build and half is STAGING:
            build.after_staging = edits.build_file_look(settings)
        if half is MARTS:
            yield from history_partitions(settings, context.instance.get_materialized_partitions(HISTORY_KEY))
            # Whoever edited a file meanwhile has edited it for the next refresh.
            if build and edits.made_from(settings, refresh.landing_fingerprint) == build.made_from:
                edits.write_note(settings, refresh.refresh_id, build.made_from, build.checks)

    return models


def begun(context: AssetExecutionContext, refresh: RefreshRun, half: Half, manifest: Mapping[str, Any]) -> Build | None:
    """What this half builds, decided before the first one; None where it is no whole build, of which nothing is
    noted."""
    settings = refresh.settings
    is_whole = len(context.selected_asset_keys) == len(context.assets_def.keys)
    if half is STAGING and is_whole and refresh.landing_fingerprint:
        # Where the step is tried again, the note is gone: whoever held the file may have written it, so all is built.
        now = edits.made_from(settings, refresh.landing_fingerprint)
        refresh.begin_build(Build(now, edits.edit(settings, manifest, now, edits.read_note(settings))))
    elif not is_whole or not refresh.build or refresh.build.after_staging != edits.build_file_look(settings):
        # Somebody wrote the file since, or this is another try: nothing is taken over, and nothing noted.
        refresh.begin_build(None)
    # From here on the file is written.
    edits.forget_note(settings)
    return refresh.build


def told_edit(edit: edits.Edit, manifest: Mapping[str, Any]) -> str:
    """What is built of an edit, in a sentence."""
    names = [id.rpartition(".")[2] for id in edit.changed]
    tables = sum(is_table(manifest["nodes"][id]) for ids in edit.selected.values() for id in ids)
    return (
        f"{', '.join(names) or 'nothing'} changed since build {edit.note.refresh_id}, and nothing else: {tables} "
        "tables hang on that and are built; all others hold, with what their checks said then"
    )


def is_table(node: Mapping[str, Any]) -> bool:
    """Whether a node of the manifest is built, and not a test."""
    return node["resource_type"] in ("model", "seed")


def with_what_holds(
    events: Iterator[Any], context: AssetExecutionContext, note: edits.Note, manifest: Mapping[str, Any]
) -> Iterator[Any]:
    """dbt's events, and what was taken over from an earlier build: its tables, and what their checks said. Dagster
    takes tables in the order of their dependencies, so all of them come last; where dbt fails, none."""
    outputs: dict[str, Output[Any]] = {}
    checks: set[AssetCheckKey] = set()
    for event in events:
        if isinstance(event, Output):
            outputs[event.output_name] = event
            continue
        if isinstance(event, AssetCheckResult) and event.asset_key and event.check_name:
            checks.add(AssetCheckKey(event.asset_key, event.check_name))
        yield event
    for check in note.checks:
        key = AssetCheckKey(AssetKey(list(check["asset"])), str(check["name"]))
        if key in context.selected_asset_check_keys and key not in checks:
            yield AssetCheckResult(
                asset_key=key.asset_key,
                check_name=key.name,
                passed=check["passed"],
                severity=AssetCheckSeverity(check["severity"]),
                description=check["description"],
                metadata={**check["metadata"], HOLDS_SINCE: check["metadata"].get(HOLDS_SINCE, note.refresh_id)},
            )
    names = {asset_key(node).to_python_identifier(): id for id, node in manifest["nodes"].items() if is_table(node)}
    parents = {id: node["depends_on"].get("nodes", ()) for id, node in manifest["nodes"].items()}
    places = {id: place for place, id in enumerate(TopologicalSorter(parents).static_order())}
    for name in sorted(context.assets_def.keys_by_output_name, key=lambda name: places.get(names.get(name, ""), -1)):
        yield outputs.get(name) or Output(None, output_name=name, metadata={HOLDS_SINCE: note.refresh_id})


def with_notes(events: Iterator[Any], noted: list[dict[str, Any]]) -> Iterator[Any]:
    """dbt's events, with the results of checks added to `noted`."""
    for event in events:
        if isinstance(event, AssetCheckResult) and event.asset_key:
            values = {name: getattr(value, "value", value) for name, value in (event.metadata or {}).items()}
            noted.append(
                {
                    "asset": list(event.asset_key.path),
                    "name": event.check_name,
                    "passed": event.passed,
                    "severity": event.severity.value,
                    "description": event.description,
                    "metadata": {
                        name: value for name, value in values.items() if isinstance(value, str | int | float | bool)
                    },
                }
            )
        yield event


def history_partitions(settings: Settings, known: Set[str]) -> Iterator[AssetMaterialization]:
    """A partition of `history` for each past date of the grid that is kept and not `known` yet, so that Dagster shows
    which dates are computed; none where the UI built only models before the memberships."""
    import duckdb

    past = "select as_of from int_as_of_dates where is_history_grid and not is_current"
    try:
        with built_tables(settings) as con:
            found = con.execute(
                f"select as_of, count(*) from int_memberships where as_of in ({past}) group by as_of order by as_of"
            ).fetchall()
    except (NotBuilt, duckdb.CatalogException):
        return
    for day, rows in found:
        if day.isoformat() not in known:
            yield AssetMaterialization(
                HISTORY_KEY,
                partition=day.isoformat(),
                metadata={"dagster/partition_row_count": int(rows), "as_of": day.isoformat()},
            )


def staging_and_marts(manifest: dict[str, Any], origins: Origins | None = None) -> list[AssetsDefinition]:
    """Both halves, with where their columns come from."""
    return [model_assets(manifest, half, origins) for half in (STAGING, MARTS)]


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


def with_progress(
    events: Iterator[Any], tables: int, say: Callable[[str], Any], clock: Callable[[], float] = time.monotonic
) -> Iterator[Any]:
    """dbt's events; every PROGRESS_SECONDS, how many of the `tables` are built."""
    built, told = 0, clock()
    for event in events:
        built += isinstance(event, Output)
        if clock() - told >= PROGRESS_SECONDS:
            say(f"{SO_FAR}{built} of {tables} tables")
            told = clock()
        yield event


def with_column_checks(events: Iterator[Any], manifest: Mapping[str, Any]) -> Iterator[Any]:
    """dbt's events, where the result of a test that holds the checks of many columns says how many they are."""
    for event in events:
        if isinstance(event, AssetCheckResult):
            checks = column_checks(manifest, _said(event, "unique_id"))
            if checks:
                event = event._replace(metadata={**(event.metadata or {}), CHECKS: MetadataValue.int(len(checks))})
        yield event


def with_messages(events: Iterator[Any], read: Callable[[], Mapping[str, Mapping[str, Any]]]) -> Iterator[Any]:
    """dbt's events, where a check that ended in an error says which, and checks of columns which of them failed: dbt
    tells that at the very end only.

    Args:
        read: metadata to add to the results of tests, by their unique ids.

    Raises:
        Exception: whatever `events` raised, after the checks that were held back.
    """
    held: list[AssetCheckResult] = []
    failure: Exception | None = None
    try:
        for event in events:
            if isinstance(event, AssetCheckResult) and _is_told_late(event):
                held.append(event)
            else:
                yield event
    except Exception as error:
        failure = error
    found = read() if held else {}
    for event in held:
        yield event._replace(metadata={**(event.metadata or {}), **found.get(_said(event, "unique_id"), {})})
    if failure is not None:
        raise failure


def _is_told_late(event: AssetCheckResult) -> bool:
    return _said(event, "status") == "error" or (not event.passed and CHECKS in (event.metadata or {}))


def messages(target_path: Path) -> dict[str, dict[str, Any]]:
    """Of the last run of dbt, as metadata of its tests: what went wrong in each node that ended in an error, and which
    checks of columns do not hold; by unique id."""
    found: dict[str, dict[str, Any]] = {
        test: {MESSAGE: MetadataValue.text(message)} for test, message in error_messages(target_path).items()
    }
    for test, (failed, message) in column_messages(target_path / "dbt.log", _invocation(target_path)).items():
        found[test] = {MESSAGE: MetadataValue.text(message), CHECKS_FAILED: MetadataValue.int(failed)}
    return found


def _invocation(target_path: Path) -> str:
    try:
        run_results = json.loads((target_path / "run_results.json").read_text(encoding="utf-8"))
        return str(run_results["metadata"]["invocation_id"])
    except (OSError, ValueError, KeyError):
        return ""


def error_messages(target_path: Path) -> dict[str, str]:
    """From dbt's run_results.json: unique id -> what went wrong, without dbt's frame around it."""
    try:
        results = json.loads((target_path / "run_results.json").read_text(encoding="utf-8"))["results"]
    except (OSError, ValueError, KeyError):
        return {}
    return {
        result["unique_id"]: without_frame(result["message"])
        for result in results
        if result.get("status") == "error" and result.get("message")
    }


def without_frame(message: str) -> str:
    """A database's message without the lines that name dbt's files, and without the kind of error in front."""
    lines = [line.strip() for line in message.strip().splitlines()]
    kept = [line for line in lines if line and " Error in " not in line and not line.startswith("compiled code at")]
    text = " ".join(kept)
    head, _, rest = text.partition(" Error: ")
    return rest if rest and head.replace(" ", "").isalpha() else text


def _said(event: AssetCheckResult, key: str) -> str:
    value = (event.metadata or {}).get(key, "")
    return str(getattr(value, "value", value))


def _as_of(settings: Settings, half: Half) -> dict[str, Any]:
    """The as-of date as metadata; nothing where the models stopped before it was known."""
    import duckdb

    try:
        with built_tables(settings) as con:
            # The grid of the second half may still be that of an earlier refresh while the first is built.
            as_of = current_as_of(con) if half is MARTS else refresh_day(con, settings)
            return {"as_of": as_of.isoformat()}
    except (NotBuilt, duckdb.CatalogException):
        return {}


def _count(settings: Settings, tables: list[str]) -> dict[str, int]:
    hand_over(settings)
    with built_tables(settings) as con:
        return row_counts(con, tables)
