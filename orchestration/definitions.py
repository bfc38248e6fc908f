"""The entry point of everything that runs: what is made, what is checked, when.

    landing -> staging -> | audit | -> marts -> candidate -> | audit, treatments, consent | -> report -> published

`make refresh`, `make dev` and `dagster job execute -m orchestration.definitions -j refresh` all run the job `refresh`.
The job `backfill` computes chosen dates of the past again; the next refresh publishes them.
"""

from __future__ import annotations

import os

from dagster import Definitions, in_process_executor

from orchestration.defs.alerts import failure_alert
from orchestration.defs.audiences import audience_check, audience_export
from orchestration.defs.backfill import backfill, history_asset
from orchestration.defs.build import dbt_resource, landing, staging_and_marts
from orchestration.defs.checks import audit_checks
from orchestration.defs.hand_over import hand_over_assets
from orchestration.defs.postgres import postgres_assets
from orchestration.defs.publication import account_assets, publication_assets
from orchestration.defs.run import RefreshRun
from orchestration.defs.schedules import daily, is_in_use, landing_sensor, refresh
from orchestration.publication.ddl import published_tables
from orchestration.settings import read_settings
from orchestration.warehouse.engines import check_engine
from orchestration.warehouse.lineage import origins
from orchestration.warehouse.project import manifest_path, read_manifest

settings = read_settings()
check_engine(settings, os.environ)
manifest = read_manifest(manifest_path(settings))
# While a refresh runs, SQL is being compiled, and nobody waits for a picture: what was read before is shown.
columns = origins(settings, manifest, reads=not is_in_use(settings))

defs = Definitions(
    assets=[
        landing,
        *staging_and_marts(manifest, columns),
        *publication_assets(manifest),
        *postgres_assets(os.environ),
        *account_assets(published_tables(manifest)),
        audience_export(),
        *hand_over_assets(os.environ),
        history_asset(settings),
    ],
    asset_checks=[*audit_checks(), audience_check()],
    jobs=[refresh, backfill],
    schedules=[daily],
    sensors=[landing_sensor(), failure_alert()],
    resources={"dbt": dbt_resource(), "refresh": RefreshRun()},
    # One process: the steps follow each other, and starting one for each costs more than the steps.
    executor=in_process_executor,
)
