"""`make refresh`: one refresh from the landing zone to the published version, told on the terminal in a few lines.

Belongs here: the lock, the log file, running the job in this process, exit codes, telling the alert that it failed.
Does not belong here: the steps (definitions.py names them), what the lines look like (terminal.py).

With FULL=1 in the environment everything that a refresh can make again is removed first, so that nothing is taken over
from earlier refreshes; what is published, kept versions and the state of earlier refreshes stay.

Exit code 0 only when a new version is published, and everywhere where it was to be; 1 when the refresh stopped, with
the published state untouched; 2 when the environment cannot be used; 3 when another refresh holds the warehouse; 4 when
the version is published in the warehouse folder, and a step after that failed (PostgreSQL, the hand-over of audiences):
the state there is the one before.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO
from uuid import uuid4

from orchestration import disk, memory, terminal
from orchestration.audiences.handover.chosen import targets_of
from orchestration.audiences.handover.target import AUDIENCE_TARGET, TargetError
from orchestration.defs.run import NOT_KNOWN, REFRESH_ID_TAG, STARTED_AT_TAG, in_code_location, make_refresh_id
from orchestration.landing.contract import contract
from orchestration.overrides import former_names_used, held_vars, prepare_seeds, shipped_vars
from orchestration.publication.postgres.server import (
    PUBLISH_POSTGRES_DSN,
    PostgresError,
    parameters_of,
    server_of,
)
from orchestration.settings import PROJECT_DIR, Settings, SettingsError, read_settings
from orchestration.storage.files import finish_removals, remove_folder
from orchestration.storage.lock import LockHeld, refresh_lock
from orchestration.storage.versions import demo_over_shop, published_version
from orchestration.warehouse.dbt_server import dbt_kept_ready
from orchestration.warehouse.engines import check_engine
from orchestration.warehouse.project import manifest_path

PUBLISHED, STOPPED, BAD_ENVIRONMENT, IN_USE, NOT_EVERYWHERE = 0, 1, 2, 3, 4


def main() -> int:
    """Run one refresh; see the exit codes above."""
    settings: Settings | None = None
    try:
        settings = read_settings()
        shipped = shipped_vars()
        held = {**shipped, **held_vars(settings, shipped)}
        limit = memory.hold(settings, held)
        check_engine(settings, os.environ)
        check_history_start(settings, os.environ)
        disk.check_writable(settings)
        if held.get(disk.CHECK, True):
            disk.check_room(settings, contract())
        check_elsewhere(os.environ)
    except SettingsError as error:
        return _not_started(error, settings)
    try:
        with refresh_lock(settings.lock_file), memory.Spilled(settings, limit) as spilled:
            try:
                # Under the lock: a refresh that runs reads seeds from the same folder.
                prepare_seeds(settings)
            except SettingsError as error:
                return _not_started(error, settings)
            return run(settings, full=is_full(os.environ), spilled=spilled)
    except LockHeld as error:
        print(f"not refreshed: {error}", file=sys.stderr)
        _alert("(not started)", [terminal.Problem("lock", str(error))], _published_id(settings))
        return IN_USE
    except OSError as error:
        # Outside the steps, whose errors are told as theirs: the log, the link.
        sentence = disk.explained(error, settings)
        if sentence is None:
            raise
        print(f"not refreshed: {sentence}", file=sys.stderr)
        _alert("(not started)", [terminal.Problem("disk", sentence)], _published_id(settings))
        return STOPPED


def _not_started(error: SettingsError, settings: Settings | None) -> int:
    """Say so; `settings` are None where they cannot be read."""
    print(error, file=sys.stderr)
    _alert("(not started)", [terminal.Problem("environment", str(error))], _published_id(settings))
    return BAD_ENVIRONMENT


def _published_id(settings: Settings | None) -> str | None:
    """The id of the version that is published; None where there is none, NOT_KNOWN where that cannot be told."""
    try:
        return _id(published_version(settings)) if settings is not None else NOT_KNOWN
    except OSError:
        return NOT_KNOWN


def _id(version: Path | None) -> str | None:
    return version.name if version else None


def is_full(environ: Mapping[str, str]) -> bool:
    """Whether FULL asks for a rebuild from nothing: anything but empty, 0, no and false."""
    return environ.get("FULL", "").strip().lower() not in ("", "0", "no", "false")


def is_asked_elsewhere(environ: Mapping[str, str]) -> bool:
    """Whether what is published is to be had in another place too."""
    return any(environ.get(name, "").strip() for name in (PUBLISH_POSTGRES_DSN, AUDIENCE_TARGET))


def check_elsewhere(environ: Mapping[str, str]) -> None:
    """See that the places where it is to be had too can be used at all, before all the work.

    Raises:
        SettingsError: a variable that names one of them cannot be read.
    """
    try:
        server = server_of(environ)
        if server is not None:
            parameters_of(server)
        targets_of(environ)
    except (PostgresError, TargetError) as error:
        raise SettingsError(str(error)) from None


def check_history_start(settings: Settings, environ: Mapping[str, str]) -> None:
    """See that HISTORY_START, where it is set, is a date, before all the work.

    Raises:
        SettingsError: it is none.
    """
    if environ.get("HISTORY_START", "").strip():
        # With it comes dagster-dbt, which else is imported beside dbt's start.
        from orchestration.defs.backfill import history_start

        history_start(settings, environ)


def forget_builds(settings: Settings) -> None:
    """Remove what a refresh can make again: the landed files, dbt's database, the demo's files."""
    for folder in (settings.build_file.parent, settings.landed_dir, settings.demo_dir):
        remove_folder(folder)
    finish_removals(settings.warehouse_dir)


def run(settings: Settings, full: bool = False, spilled: memory.Spilled | None = None) -> int:
    """Run the job under the lock, with everything that any step prints in the log file."""
    run_id = str(uuid4())
    started_at = datetime.now(UTC)
    refresh_id = make_refresh_id(started_at, run_id)
    log = settings.logs_dir / f"{refresh_id}.log"
    tags = {REFRESH_ID_TAG: refresh_id, STARTED_AT_TAG: started_at.isoformat()}
    before = published_version(settings)
    with everything_into(log) as screen:
        progress = terminal.Progress(screen)
        progress.say(terminal.opening(refresh_id, settings))
        for sentence in former_names_used(settings):
            progress.say(f"  {sentence}")
        other = demo_over_shop(settings)
        if other is not None:
            progress.say(f"  {other}")
        if full:
            forget_builds(settings)
            progress.say("  FULL: everything is read and built again")
        with dbt_kept_ready(settings.dbt_target, PROJECT_DIR):
            _parse_ahead(settings)
            succeeded = _run_job(run_id, tags, progress)
        if spilled is not None and spilled.told():
            progress.say(terminal.spilled(spilled.told()))
        # The screen shows the first of them, and says that all are in the log.
        print(terminal.in_full("Warnings", progress.warnings))
        print(terminal.in_full("Failures", progress.failures))
        version = published_version(settings)
        # The link is the truth: a step that fails after the switch does not unpublish.
        if version is not None and version.name == refresh_id:
            progress.say(
                terminal.published(version, settings, log, progress.seconds, progress.warnings, progress.places)
            )
            if succeeded:
                return PUBLISHED
            if not is_asked_elsewhere(os.environ):
                progress.say(f"published, but a step after it failed: see {log}")
                return PUBLISHED
            progress.say(terminal.not_elsewhere(progress.failures, log))
            said = _alert(refresh_id, progress.failures, _id(version))
            if said:
                progress.say(f"  {said}")
            return NOT_EVERYWHERE
        progress.failures = [
            terminal.Problem(failure.where, disk.in_words(failure.message, settings)) for failure in progress.failures
        ]
        progress.say(terminal.stopped(progress.failures, log, before.name if before else None, settings))
        said = _alert(refresh_id, progress.failures, _id(before))
        if said:
            progress.say(f"  {said}")
        return STOPPED


def _alert(refresh: str, problems: Sequence[terminal.Problem], published_id: str | None) -> str | None:
    """Post to the webhook where one is set; what to say about it."""
    if not os.environ.get("ALERT_WEBHOOK_URL", "").strip():
        return None
    from orchestration.defs.alerts import alert

    return alert(refresh, problems, published_id)


def _run_job(run_id: str, tags: dict[str, str], progress: terminal.Progress) -> bool:
    """Whether the job succeeded; anything that stops it before its first step is one of `progress.failures`."""
    warnings.filterwarnings("ignore", module="dagster.*")
    os.environ.setdefault("DAGSTER_HOME", str(PROJECT_DIR / ".dagster_home"))
    try:
        from orchestration.defs.event_log import quick_instance

        with quick_instance(os.environ["DAGSTER_HOME"]) as instance:
            from orchestration.definitions import defs

            instance.add_event_listener(run_id, progress.hear)
            _import_ahead()
            result = defs.resolve_job_def("refresh").execute_in_process(
                instance=in_code_location(instance), run_id=run_id, tags=tags, raise_on_error=False
            )
            return result.success
    except Exception as error:
        traceback.print_exc()
        progress.failures.append(terminal.Problem("start", terminal.first_lines(str(error))))
        return False


def _parse_ahead(settings: Settings) -> None:
    """Let dbt read the project in the background, while this process imports Dagster; what is wrong with it is said
    when the definitions ask for it."""

    def parse() -> None:
        with contextlib.suppress(Exception):
            manifest_path(settings)

    threading.Thread(target=parse, name="parse", daemon=True).start()


def _import_ahead() -> None:
    """Import in the background what later steps need and what takes seconds, while dbt has a process of its own."""
    from orchestration.audit.runner import import_great_expectations

    threading.Thread(target=import_great_expectations, name="imports", daemon=True).start()


@contextlib.contextmanager
def everything_into(log: Path) -> Iterator[TextIO]:
    """Send standard output and error, of this process and its children, to a file; yields the real terminal."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with log.open("a", buffering=1, encoding="utf-8") as file, os.fdopen(os.dup(1), "w", buffering=1) as screen:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield screen
        finally:
            # A log that is cut short by a full disk is no reason to hide why the refresh stopped.
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
                logging.shutdown()
            for kept, number in zip(saved, (1, 2), strict=True):
                os.dup2(kept, number)
                os.close(kept)


# As schedules of earlier versions call it; else `python -m orchestration refresh`.
if __name__ == "__main__":
    raise SystemExit(main())
