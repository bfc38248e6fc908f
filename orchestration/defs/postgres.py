"""The step of a refresh that publishes in PostgreSQL too; it is there only where PUBLISH_POSTGRES_DSN is set.

Belongs here: its result and metadata as Dagster has them.
Does not belong here: how it is done (versions.py).
"""

import time
from collections.abc import Mapping

from dagster import AssetExecutionContext, AssetKey, AssetsDefinition, Failure, MaterializeResult, asset

from orchestration.audit.told import PLACE, SO_FAR, WARNINGS
from orchestration.defs.retries import retried
from orchestration.defs.run import RefreshRun
from orchestration.publication.postgres.server import PUBLISH_POSTGRES_DSN, PostgresError, server_of
from orchestration.publication.postgres.versions import publish_to_postgres, warnings
from orchestration.storage.versions import published_version

STEP = "published_postgres"
NEXT_STEP = "When that is repaired, make postgres publishes there what is published here, without a refresh"


def postgres_assets(environ: Mapping[str, str]) -> list[AssetsDefinition]:
    """The asset, where the environment asks for it."""
    if not environ.get(PUBLISH_POSTGRES_DSN, "").strip():
        return []

    @asset(name=STEP, group_name="publication", kinds={"postgres"}, deps=[AssetKey("published")])
    def published_postgres(context: AssetExecutionContext, refresh: RefreshRun) -> MaterializeResult:
        """The published version in PostgreSQL: a schema of its own there, shown by the views of the stable schema."""
        began = time.monotonic()
        version = published_version(refresh.settings)
        if version is None:
            raise Failure("nothing is published yet: run the job refresh", allow_retries=False)
        # A server that restarts is there again within a minute.
        with retried(context):
            try:
                server = server_of()
                if server is None:
                    raise Failure(f"{PUBLISH_POSTGRES_DSN} is not set any more", allow_retries=False)
                done = publish_to_postgres(server, version, say=lambda text: context.log.info(SO_FAR + text))
            except PostgresError as error:
                raise Failure(f"{error}. {NEXT_STEP}") from None
        return MaterializeResult(
            metadata={
                "dagster/row_count": done.rows,
                WARNINGS: warnings(done),
                PLACE: done.place,
                "refresh_id": done.refresh_id,
                "replaces": done.was or "",
                "schema": done.schema,
                "tables": done.tables,
                "views": done.views,
                "left_out": done.left_out,
                "dropped": done.dropped,
                "seconds": round(time.monotonic() - began, 3),
            }
        )

    return [published_postgres]
