"""The event log that stays open is the one that Dagster's other processes read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import AssetKey, DagsterInstance, DagsterRunStatus, asset, define_asset_job, job, op
from dagster._core.definitions.definitions_class import Definitions
from dagster._core.instance.ref import InstanceRef

from orchestration.defs.event_log import KEPT_OPEN, KeptOpenEventLog, quick_instance


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    yield tmp_path


def plain(home: Path) -> DagsterInstance:
    return DagsterInstance.from_ref(InstanceRef.from_dir(str(home)))


@asset
def counted() -> int:
    return 3


DEFS = Definitions(assets=[counted], jobs=[define_asset_job("count", [counted])])


def run(instance: DagsterInstance) -> str:
    result = DEFS.resolve_job_def("count").execute_in_process(instance=instance)
    assert result.success
    return result.run_id


def test_another_process_reads_the_same_events_of_every_run(home: Path) -> None:
    with quick_instance(str(home)) as quick:
        assert isinstance(quick.event_log_storage, KeptOpenEventLog)
        assert not quick.telemetry_enabled
        runs = [run(quick) for _ in range(KEPT_OPEN + 2)]
        written = {
            run_id: [record.event_log_entry for record in quick.get_records_for_run(run_id).records] for run_id in runs
        }
        # While it is still open:
        with plain(home) as other:
            for run_id in runs:
                read = [record.event_log_entry for record in other.get_records_for_run(run_id).records]
                assert read == written[run_id]
                assert any(
                    entry.dagster_event_type and entry.dagster_event_type.value == "STEP_OUTPUT" for entry in read
                )
                assert other.get_run_by_id(run_id).status is DagsterRunStatus.SUCCESS  # type: ignore[union-attr]
            found = other.fetch_materializations(AssetKey("counted"), limit=100).records
            assert [record.run_id for record in found] == runs[::-1]


def test_it_goes_on_where_dagster_itself_wrote(home: Path) -> None:
    with plain(home) as other:
        first = run(other)
    with quick_instance(str(home)) as quick:
        second = run(quick)
        assert quick.get_latest_materialization_event(AssetKey("counted")).run_id == second  # type: ignore[union-attr]
        assert [record.run_id for record in quick.fetch_materializations(AssetKey("counted"), limit=9).records] == [
            second,
            first,
        ]


def test_no_more_files_stay_open_than_said(home: Path) -> None:
    def databases() -> int:
        links = [Path(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")]
        return sum(os.path.realpath(link).endswith(".db") for link in links if link.exists())

    @op
    def nothing() -> None:
        pass

    @job
    def idle() -> None:
        nothing()

    before = databases()
    with quick_instance(str(home)) as quick:
        for _ in range(KEPT_OPEN + 3):
            assert idle.execute_in_process(instance=quick).success
        assert databases() - before <= KEPT_OPEN
    assert databases() == before


def test_a_storage_of_ones_own_is_kept(home: Path) -> None:
    (home / "dagster.yaml").write_text(
        "event_log_storage:\n"
        "  module: dagster._core.storage.event_log\n"
        "  class: ConsolidatedSqliteEventLogStorage\n"
        f"  config: {{base_dir: {home / 'elsewhere'}}}\n",
        encoding="utf-8",
    )
    with quick_instance(str(home)) as quick:
        assert type(quick.event_log_storage).__name__ == "ConsolidatedSqliteEventLogStorage"
        run(quick)
    assert (home / "elsewhere").is_dir()
