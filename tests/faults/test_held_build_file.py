"""Somebody has the build file open when dbt starts: the step waits and is tried again, and succeeds once it is free."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb

from tests.support import project
from tests.support.growing_zone import TwoDays, copy_warehouse

RUN = """
import warnings; warnings.simplefilter("ignore")
from dagster import AssetSelection, DagsterInstance
from orchestration.defs import retries
from orchestration.definitions import defs
retries.FIRST_PAUSE_SECONDS = 1.0
with DagsterInstance.ephemeral() as instance:
    def hear(entry):
        if entry.dagster_event and entry.dagster_event.event_type_value == "STEP_UP_FOR_RETRY":
            print("waiting", entry.step_key, flush=True)
    run_id = "8a0f7f3e-1d1c-4a8e-9b53-2f5b7a6f0c11"
    instance.add_event_listener(run_id, hear)
    # The whole of staging: the step that audits it takes all of its checks or none.
    staging = AssetSelection.assets("landing", "stg_consents").required_multi_asset_neighbors()
    assets = sorted(staging.resolve(defs.resolve_asset_graph()))
    result = defs.resolve_job_def("refresh").execute_in_process(
        instance=instance, run_id=run_id, asset_selection=assets, raise_on_error=False
    )
    print("succeeded" if result.success else "failed", flush=True)
"""


def test_a_step_waits_for_a_build_file_that_somebody_has_open(two_days: TwoDays, tmp_path: Path) -> None:
    warehouse = copy_warehouse(two_days.before, tmp_path / "warehouse")
    reader = duckdb.connect(str(warehouse.folder / "build" / "warehouse.duckdb"), read_only=True)
    process = subprocess.Popen(
        [sys.executable, "-c", RUN],
        cwd=project.ROOT,
        env=warehouse.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line.strip())
            if line.startswith("waiting"):
                reader.close()
    finally:
        reader.close()
        process.kill()
        process.wait()
    said = [line for line in said if line.startswith(("waiting", "succeeded", "failed"))]
    assert said[-1] == "succeeded"
    assert said[0] == "waiting staging"
