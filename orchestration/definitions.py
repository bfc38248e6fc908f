"""The entry point of everything that runs: what is made, what is checked, when.

    landing -> staging -> | audit | -> marts -> candidate -> | audit, treatments | -> report -> published

`make refresh`, `make dev` and `dagster job execute -m orchestration.definitions -j refresh` all run the job below.
"""

from __future__ import annotations

from dagster import (
    AssetSelection,
    DefaultScheduleStatus,
    Definitions,
    ScheduleDefinition,
    define_asset_job,
    in_process_executor,
)

from orchestration.audit.checks import audit_checks
from orchestration.publication.assets import publication_assets
from orchestration.run import RefreshRun
from orchestration.settings import read_settings
from orchestration.warehouse.assets import dbt_resource, landing, staging_and_marts
from orchestration.warehouse.project import manifest_path, read_manifest

manifest = read_manifest(manifest_path(read_settings()))

refresh = define_asset_job(
    "refresh",
    selection=AssetSelection.all(),
    description="From the landing zone to the published version: all of it, or nothing.",
)

# 05:00 in the scheduler's zone: after the night's exports, before anyone reads. Switch it on in the UI.
daily = ScheduleDefinition(
    name="daily", job=refresh, cron_schedule="0 5 * * *", default_status=DefaultScheduleStatus.STOPPED
)

defs = Definitions(
    assets=[landing, *staging_and_marts(manifest), *publication_assets(manifest)],
    asset_checks=audit_checks(),
    jobs=[refresh],
    schedules=[daily],
    resources={"dbt": dbt_resource(), "refresh": RefreshRun()},
    # One process: the steps follow each other, and starting one for each costs more than the steps.
    executor=in_process_executor,
)
