"""The audiences in Dagster: the check that stands before the export, and the export.

Belongs here: results and metadata as Dagster has them.
Does not belong here: what is checked (check.py), what is written (export.py).
"""

import time
from contextlib import suppress

import duckdb
from dagster import (
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    MaterializeResult,
    asset,
)

from orchestration.audit.told import WARNINGS
from orchestration.defs.checks import blocking_check
from orchestration.defs.publication import candidate_as_of, seconds_since
from orchestration.defs.run import RefreshRun
from orchestration.defs.translator import CANDIDATE_KEY, MARKETERS, docs
from orchestration.storage.versions import DATABASE_NAME, published_version
from orchestration.warehouse.project import project_vars
from orchestration.warehouse.tables import built_tables

EXPORT_KEY = AssetKey("audience_export")
CONSENT_CHECK = "nobody_is_addressed_without_consent"
EXAMPLES = 5


def audience_export() -> AssetsDefinition:
    """`audience_export`: the files beside the candidate's tables."""

    @asset(
        name=EXPORT_KEY.path[-1],
        group_name="publication",
        kinds={"csv", "parquet"},
        owners=[MARKETERS],
        metadata=docs("hand-over"),
        deps=[CANDIDATE_KEY],
    )
    def export(context: AssetExecutionContext, refresh: RefreshRun) -> MaterializeResult:
        """For each channel a CSV and a parquet file of whom to send what, and what changed since the last export."""
        from orchestration.audiences.export import FOLDER, reads_demo, unread, write_export

        began = time.monotonic()
        as_of = candidate_as_of(refresh)
        reviews = [(0,)]
        # An engine that keeps tables as files may have none for a seed without rows.
        with built_tables(refresh.settings) as con, suppress(duckdb.CatalogException):
            reviews = con.execute("select count(*) from reviewed_treatments where trim(reviewed_by) <> ''").fetchall()
        written = write_export(
            refresh.candidate,
            published_version(refresh.settings),
            reads_demo(refresh.settings),
            is_reviewed=reviews[0][0] > 0,
        )
        return MaterializeResult(
            metadata={
                WARNINGS: [unread(written.withheld, as_of)] if written.withheld else [],
                "dagster/row_count": written.rows,
                "sent": written.sent,
                "dropped": written.dropped,
                "added": written.added,
                "removed": written.removed,
                "folder": str(refresh.settings.published_link / FOLDER),
                "as_of": as_of.isoformat(),
                "seconds": seconds_since(began),
            }
        )

    return export


def audience_check() -> AssetChecksDefinition:
    """The blocking check on the candidate's audiences."""

    def check(refresh: RefreshRun) -> AssetCheckResult:
        """No row of the audiences is without consent, of a holdout, beyond the frequency cap, or a member's second one.
        A failure stops the refresh, and nothing is exported: it is a fault of the models audiences and
        audience_decisions, which the message names by channel and reason."""
        from orchestration.audiences.check import check_audiences, limits

        with built_tables(refresh.settings, refresh.candidate / DATABASE_NAME) as con:
            found = check_audiences(con, limits(project_vars()))
        # Member ids stay out of what Dagster stores: it outlives a request to be forgotten.
        reasons = sorted({f"{violation.channel}: {violation.why}" for violation in found})
        return AssetCheckResult(
            asset_key=CANDIDATE_KEY,
            check_name=CONSENT_CHECK,
            passed=not found,
            severity=AssetCheckSeverity.ERROR,
            description=f"{len(found)} rows of audiences must not be sent" if found else None,
            metadata={
                "table": "audiences",
                "message": f"{len(found)} rows must not be sent; {'; '.join(reasons[:EXAMPLES])}" if found else "",
            },
        )

    return blocking_check(CONSENT_CHECK, check)
