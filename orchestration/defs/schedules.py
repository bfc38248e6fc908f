"""When a refresh starts by itself, and how old what is published may grow.

Belongs here: the job, the daily schedule, the sensor on the landing zone, the freshness policy.
Does not belong here: what a refresh does (definitions.py), who is told when it fails (alerts.py).

Both triggers are off until somebody switches them on in the UI: a nightly export suits the schedule, files that arrive
at any hour suit the sensor. Both at once do no harm: one refresh at a time holds the warehouse.
"""

from __future__ import annotations

import json
from collections.abc import Set
from dataclasses import asdict, dataclass
from datetime import timedelta

from dagster import (
    AssetSelection,
    DefaultScheduleStatus,
    DefaultSensorStatus,
    FreshnessPolicy,
    RunRequest,
    ScheduleDefinition,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    define_asset_job,
    sensor,
)

from orchestration.defs.translator import HISTORY_KEY
from orchestration.landing.errors import LandingError
from orchestration.publication.refreshes import known_refreshes
from orchestration.settings import Settings, SettingsError, read_settings
from orchestration.storage.lock import is_held
from orchestration.storage.versions import published_version, read_manifest, version_folders

refresh = define_asset_job(
    "refresh",
    # The past by date is a job of its own (backfill.py): a run is of partitions, or of what has none.
    selection=AssetSelection.all() - AssetSelection.assets(HISTORY_KEY),
    description="From the landing zone to the published version: all of it, or nothing.",
)

# 05:00 UTC, Dagster's zone where a schedule names none: in Europe after the night's exports, before anyone reads.
daily = ScheduleDefinition(
    name="daily",
    job=refresh,
    cron_schedule="0 5 * * *",
    default_status=DefaultScheduleStatus.STOPPED,
    description="A refresh every day at 05:00 UTC, for a landing zone that a nightly export fills. Off until "
    "switched on.",
)

# A daily refresh that ends a little later than the day before is no news (26 h); after two missed ones it is a failure.
FRESHNESS = FreshnessPolicy.time_window(warn_window=timedelta(hours=26), fail_window=timedelta(hours=50))

# Seconds between two looks at the landing zone. Files must look the same twice before a refresh starts, so this is also
# how long an upload may pause.
LOOK_EVERY_SECONDS = 60


@dataclass(frozen=True)
class Seen:
    """What the sensor remembers: how the landing zone looked last, the look that it last asked a refresh for, and the
    version that was published then."""

    seen: str = ""
    requested: str = ""
    version: str = ""


def decide(found: str, published: Set[str], before: Seen, in_use: bool, version: str = "") -> tuple[str | None, Seen]:
    """Whether the landing zone asks for a refresh now.

    Args:
        found: fingerprint of the landing zone.
        published: fingerprints of what the published version was made from, and those rolled back to it.
        before: what was remembered at the last look.
        in_use: whether a refresh is running.
        version: the published version.

    Returns:
        Why not, or None for a refresh; and what to remember.
    """
    now = Seen(found, before.requested, before.version)
    if found in published:
        return "no file has changed since the last published refresh", now
    if (found, version) == (before.requested, before.version):
        # It is running, or it failed and was told of: the same files would fail again. Where another version has been
        # published since, these files came back.
        return "a refresh of these files was asked for already", now
    if found != before.seen:
        return "files have changed; waiting until they stay the same", now
    if in_use:
        return "a refresh is running", now
    return None, Seen(found, found, version)


def landing_sensor() -> SensorDefinition:
    """The sensor `landing_zone`."""

    @sensor(
        name="landing_zone",
        job=refresh,
        description="A refresh when files in LANDING_DIR, or of the export that MAPPING reads, differ from those last "
        f"published, and have stayed the same for {LOOK_EVERY_SECONDS} seconds; for files that arrive at any hour. Off "
        "until switched on.",
        minimum_interval_seconds=LOOK_EVERY_SECONDS,
        default_status=DefaultSensorStatus.STOPPED,
    )
    def look(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        """Refreshes when files in LANDING_DIR differ from those last published, and stay the same for a while."""
        try:
            settings = read_settings()
        except SettingsError as error:
            return SkipReason(str(error))
        if settings.is_demo:
            return SkipReason("LANDING_DIR is not set: the demo data does not change")
        try:
            found = look_from_outside(settings)
        except LandingError as error:
            return SkipReason(str(error))
        except OSError as error:
            return SkipReason(f"the landing zone cannot be looked at now ({error.strerror})")
        current = published_version(settings)
        why_not, after = decide(
            found,
            published_fingerprints(settings),
            _read(context.cursor),
            is_in_use(settings),
            current.name if current else "",
        )
        cursor = json.dumps(asdict(after))
        if why_not is not None:
            return SensorResult(skip_reason=why_not, cursor=cursor)
        # Without a run key, which Dagster would never run again: files may come back that were refreshed before. That
        # they are asked for once is in the cursor.
        return SensorResult(run_requests=[RunRequest()], cursor=cursor)

    return look


def look_from_outside(settings: Settings) -> str:
    """A digest of the files that may ask for a refresh: those of the landing zone, or of the export that is mapped.

    Raises:
        LandingError: the mapping cannot be read.
        OSError: a file or folder cannot be looked at.
    """
    # What lands is loaded where it is needed: whoever loads the definitions need not.
    from orchestration.landing.contract import contract
    from orchestration.landing.land import zone_fingerprint
    from orchestration.landing.mapping.apply import export_fingerprint
    from orchestration.landing.mapping.model import read_mapping

    if settings.mapping_file is None:
        return zone_fingerprint(settings.source_dir)
    return export_fingerprint(read_mapping(settings.mapping_file, contract()))


def published_fingerprints(settings: Settings) -> set[str]:
    """What the published version was made from, and those that were rolled back to it; the files of one that was
    replaced may come back."""
    known = set(known_refreshes(settings)["refresh_id"].to_pylist())
    current = published_version(settings)
    versions = [
        v
        for v in version_folders(settings)
        if v == current or (v.name in known and (current is None or v.name > current.name))
    ]
    return {read_manifest(version).get("landing_fingerprint") or "" for version in versions} - {""}


def is_in_use(settings: Settings) -> bool:
    """Whether a process on this machine holds the warehouse."""
    return is_held(settings.lock_file)


def _read(cursor: str | None) -> Seen:
    try:
        return Seen(**json.loads(cursor)) if cursor else Seen()
    except (TypeError, ValueError):
        return Seen()
