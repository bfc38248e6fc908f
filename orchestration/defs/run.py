"""One refresh, as its steps know it: settings, id, candidate folder, and the lock on the warehouse.

Belongs here: the Dagster resource that every step of the job asks for, and where its runs belong in the UI.
Does not belong here: the steps.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dagster import ConfigurableResource, DagsterInstance, DagsterRun, InitResourceContext, JobDefinition
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from pydantic import PrivateAttr

from orchestration import memory
from orchestration.settings import Settings, SettingsError, read_settings
from orchestration.storage.lock import refresh_lock
from orchestration.storage.versions import published_version
from orchestration.warehouse.edits import Edit, MadeFrom
from orchestration.warehouse.project import project_vars

# The code location that `make dev` serves.
DEFINITIONS = "orchestration.definitions"
REFRESH_ID_TAG = "segments_in_use/refresh_id"
STARTED_AT_TAG = "segments_in_use/started_at"
# In the place of a version's id, where it cannot be told which one is published.
NOT_KNOWN = ""


def make_refresh_id(started_at: datetime, run_id: str) -> str:
    """An id that sorts by time and is unique: the start in UTC, and the beginning of Dagster's run id."""
    return f"{started_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{run_id.replace('-', '')[:8]}"


def published_id() -> str | None:
    """The id of the version that is published now; None where there is none, NOT_KNOWN where the settings cannot be
    read."""
    try:
        version = published_version(read_settings())
    except (SettingsError, OSError):
        return NOT_KNOWN
    return version.name if version else None


def is_made_by_a_command(run: DagsterRun) -> bool:
    """Whether `make refresh` started the run and named its refresh. A run that is executed again from the UI has the
    tags of the one before, whose name is taken: it is a refresh of its own."""
    name = run.tags.get(REFRESH_ID_TAG, "")
    return bool(name) and name.endswith(run.run_id.replace("-", "")[:8])


def in_code_location(instance: DagsterInstance) -> DagsterInstance:
    """The instance, whose runs from now on belong to the code location that the UI serves.

    A job that is executed in this process belongs to none: the UI's timeline and its latest run by job leave it out,
    and cannot run it again. Dagster takes the origin of a run where the run is created, and hands none through.
    """
    location = ManagedGrpcPythonEnvCodeLocationOrigin(LoadableTargetOrigin(module_name=DEFINITIONS), DEFINITIONS)
    repository = RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME)
    create = instance.create_run_for_job

    def create_run_for_job(job_def: JobDefinition, **kwargs: Any) -> DagsterRun:
        return create(job_def, **{**kwargs, "remote_job_origin": repository.get_job_origin(job_def.name)})

    instance.create_run_for_job = create_run_for_job  # type: ignore[method-assign,assignment]
    return instance


@dataclass
class Build:
    """The build of a refresh, from half to half.

    `edit` is None where everything is built; `checks` are the results so far, as edits.Note keeps them;
    `after_staging` is how the build file looked when the first half was done.
    """

    made_from: MadeFrom
    edit: Edit | None
    checks: list[dict[str, Any]] = field(default_factory=list)
    after_staging: list[int] = field(default_factory=list)


class RefreshRun(ConfigurableResource):
    """The refresh that a Dagster run carries out; holds the warehouse's lock from the first step to the last.

    The in-process executor sets it up once a run. `make refresh` has taken the lock before, which is then shared.
    """

    _settings: Settings = PrivateAttr()
    _refresh_id: str = PrivateAttr()
    _started_at: datetime = PrivateAttr()
    _landing_fingerprint: str = PrivateAttr(default="")
    _build: Build | None = PrivateAttr(default=None)

    @property
    def settings(self) -> Settings:
        """The environment, read when the run began."""
        return self._settings

    @property
    def refresh_id(self) -> str:
        """Name of this refresh in versions/, logs/ and the table `refreshes`."""
        return self._refresh_id

    @property
    def started_at(self) -> datetime:
        """When the run began, in UTC."""
        return self._started_at

    @property
    def landing_fingerprint(self) -> str:
        """Which files of the landing zone this run has landed; empty where it has not."""
        return self._landing_fingerprint

    @property
    def build(self) -> Build | None:
        """What this run's build is made from and has found so far; None where it has not begun with its first half."""
        return self._build

    def begin_build(self, build: Build | None) -> None:
        """Remember it for the second half."""
        self._build = build

    def note_landing(self, fingerprint: str) -> None:
        """Remember what was landed: dbt need not look again, and the published version says what it was made from."""
        self._landing_fingerprint = fingerprint

    @property
    def candidate(self) -> Path:
        """The folder in which this refresh builds what it may publish."""
        return self._settings.candidate_dir / self._refresh_id

    @contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Iterator[RefreshRun]:
        """Read the settings, name the refresh, hold the lock.

        Raises:
            SettingsError: the environment cannot be used.
            LockHeld: another refresh is running.
        """
        self._settings = read_settings()
        memory.hold(self._settings, project_vars(self._settings))
        run = context.dagster_run
        tags = dict(run.tags) if run and is_made_by_a_command(run) else {}
        run_id = run.run_id if run else "00000000"
        self._started_at = _started_at(context, run_id, tags)
        self._refresh_id = tags.get(REFRESH_ID_TAG) or make_refresh_id(self._started_at, run_id)
        with refresh_lock(self._settings.lock_file, purpose=run.job_name if run else "refresh"):
            yield self


def _started_at(context: InitResourceContext, run_id: str, tags: dict[str, str]) -> datetime:
    if STARTED_AT_TAG in tags:
        return datetime.fromisoformat(tags[STARTED_AT_TAG])
    record = context.instance.get_run_record_by_id(run_id) if context.instance else None
    return record.create_timestamp.astimezone(UTC) if record else datetime.now(UTC)


@contextmanager
def environment(settings: Settings, **more: str) -> Iterator[None]:
    """The variables that dbt reads, set for the length of the block; children started inside it inherit them."""
    values = {**settings.environment(), **more}
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
