"""Dagster's event log in SQLite, with one connection a database instead of one an event.

Belongs here: the storage, and when `make refresh` uses it.
Does not belong here: the events.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine

# As Dagster's own: writers of several processes wait for each other this long.
BUSY_SECONDS = 30
# Databases that stay open: the index over all runs, and those of the latest runs.
KEPT_OPEN = 4
INDEX = "index"
# No telemetry, in a DAGSTER_HOME that says nothing of it either. What the steps print goes to our log file; Dagster's
# own capture would start two processes a step.
QUIET = {
    "telemetry": {"enabled": False},
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    },
}


class KeptOpenEventLog(SqliteEventLogStorage):
    """The same databases, read and written by Dagster's other processes as ever.

    A refresh writes some 1,500 events. Dagster opens an engine and a connection for each, and each close, the last one
    of its file, writes the log back and waits for the disk: a third of a small refresh. Here a database stays open, in
    SQLite's mode `synchronous = normal`: after a power cut the last events may be missing, the database is whole
    (https://www.sqlite.org/pragma.html#pragma_synchronous).
    """

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> KeptOpenEventLog:
        return cls(inst_data=inst_data, **config_value)

    def run_connection(self, run_id: str | None = None) -> AbstractContextManager[Connection]:
        # Events of no run, and the first of a run, are Dagster's: it makes the database.
        if not run_id or not Path(self.path_for_shard(run_id)).is_file():
            connection: AbstractContextManager[Connection] = super().run_connection(run_id)
            return connection
        return self._kept(run_id)

    def index_connection(self) -> AbstractContextManager[Connection]:
        return self._kept(INDEX)

    def dispose(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()

    @contextmanager
    def _kept(self, shard: str) -> Iterator[Connection]:
        engine = self._engines.get(shard)
        if engine is None:
            engine = create_engine(self.conn_string_for_shard(shard), connect_args={"timeout": BUSY_SECONDS})
            event.listen(engine, "connect", _without_waiting)
            self._engines[shard] = engine
            while len(self._engines) > KEPT_OPEN:
                oldest = next(name for name in self._engines if name != INDEX)
                self._engines.pop(oldest).dispose()
        with engine.begin() as connection:
            yield connection


def _without_waiting(connection: Any, _record: Any) -> None:
    connection.execute("pragma synchronous = normal")


def quick_instance(home: str) -> DagsterInstance:
    """The Dagster instance of a folder, for one process that runs a job in itself.

    Where the folder's dagster.yaml names a storage of its own, that one is used.

    Args:
        home: DAGSTER_HOME.
    """
    ref = InstanceRef.from_dir(home, overrides=QUIET)
    if ref.storage_data is not None and ref.storage_data.class_name == "DagsterSqliteStorage":
        storage = {
            "module": KeptOpenEventLog.__module__,
            "class": KeptOpenEventLog.__name__,
            "config": {"base_dir": str(Path(home).resolve() / "history" / "runs")},
        }
        ref = InstanceRef.from_dir(home, overrides={**QUIET, "event_log_storage": storage})
    return DagsterInstance.from_ref(ref)
