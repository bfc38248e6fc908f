"""Publication: the candidate becomes a version, the link is switched, old versions go; and the way back.

Belongs here: versions/<refresh_id>/, the link `published`, manifest.json, pruning, rollback.
Does not belong here: what the tables hold (candidate.py) or whether they are right (orchestration/audit/).

The order makes every moment safe: seal the candidate, rename it into versions/, switch the link, note the refresh,
prune. Whatever is interrupted, the link points at a whole, audited version.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from orchestration.settings import PROJECT_DIR, Settings
from orchestration.storage.files import finish_removals, remove_folder, seal, sha256_of, switch_link, sync
from orchestration.storage.versions import (
    DATABASE_NAME,
    MANIFEST_NAME,
    PARQUET_FOLDER,
    published_version,
    read_manifest,
    version_folders,
)

# 5: a working week of daily refreshes to go back to. At least 1; more costs one copy of the tables each.
DEFAULT_KEEP_VERSIONS = 5


class NothingToRollBackTo(RuntimeError):
    """No version is published, or none before the published one is kept."""


@dataclass(frozen=True)
class CheckCounts:
    """Checks of a refresh: passed, failed with severity warning, failed with severity error."""

    passed: int = 0
    warned: int = 0
    failed: int = 0


def git_revision(project_dir: Path = PROJECT_DIR) -> str | None:
    """The commit the project is at, or None outside a checkout (or without a commit, or without git)."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(project_dir), "rev-parse", "--verify", "--quiet", "HEAD"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None if answer.returncode == 0 else None


def write_manifest(
    candidate: Path,
    refresh_id: str,
    as_of: date,
    rows: Mapping[str, int],
    checks: CheckCounts,
    published_at: datetime,
    revision: str | None,
    replaces: str | None,
    landing_fingerprint: str = "",
    history_from: date | None = None,
) -> Path:
    """manifest.json: what was published, when, from which revision, with the digest of each table's parquet file."""
    manifest = {
        "refresh_id": refresh_id,
        "as_of": as_of.isoformat(),
        "published_at": published_at.astimezone(UTC).isoformat(timespec="seconds"),
        "git_revision": revision,
        # The version that was published before: where a rollback of this one goes.
        "replaces": replaces,
        # Which files it was made from; the sensor of the landing zone compares.
        "landing_fingerprint": landing_fingerprint,
        # The first date of the history; where backfills begin.
        "history_from": history_from.isoformat() if history_from else None,
        "tables": {
            table: {"rows": rows[table], "sha256": sha256_of(candidate / PARQUET_FOLDER / f"{table}.parquet")}
            for table in sorted(rows)
        },
        "checks": asdict(checks),
    }
    path = candidate / MANIFEST_NAME
    path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return path


def publish(
    settings: Settings,
    candidate: Path,
    as_of: date,
    rows: Mapping[str, int],
    checks: CheckCounts,
    keep_versions: int = DEFAULT_KEEP_VERSIONS,
    now: datetime | None = None,
    landing_fingerprint: str = "",
    history_from: date | None = None,
) -> Path:
    """Make the candidate folder the published version; its name is the refresh id.

    Args:
        rows: rows of each published table; each has `parquet/<table>.parquet` in the candidate.
        keep_versions: how many versions stay, this one included; at least 1.
        landing_fingerprint: which files of the landing zone the rows come from.
        history_from: the first date of the history.

    Returns:
        The folder of the version.

    Raises:
        FileNotFoundError: a table has no parquet file, or the database is missing.
        RuntimeError: a `.wal` lies beside the database (it was not closed), or checks failed.
    """
    database = candidate / DATABASE_NAME
    if not database.is_file():
        raise FileNotFoundError(f"{database}: the candidate has no database")
    leftovers = sorted(p.name for p in candidate.glob("*.wal"))
    if leftovers:
        raise RuntimeError(f"{candidate}: {', '.join(leftovers)} beside the database, which was not closed")
    if checks.failed:
        raise RuntimeError(f"{checks.failed} checks failed: not published")
    before = published_version(settings)
    write_manifest(
        candidate,
        candidate.name,
        as_of,
        rows,
        checks,
        published_at=now or datetime.now(UTC),
        revision=git_revision(),
        replaces=before.name if before else None,
        landing_fingerprint=landing_fingerprint,
        history_from=history_from,
    )
    seal(candidate)
    settings.versions_dir.mkdir(parents=True, exist_ok=True)
    version = settings.versions_dir / candidate.name
    candidate.rename(version)
    sync(settings.versions_dir)
    switch_link(settings.published_link, version)
    prune(settings, keep_versions)
    return version


def prune(settings: Settings, keep_versions: int) -> list[str]:
    """Remove the oldest versions beyond `keep_versions`, never the published one; returns the ids removed.

    The version that the published one replaced counts as the newest but one: a rollback goes there, and to none of
    those that were rolled back.
    """
    current = published_version(settings)
    replaced = read_manifest(current).get("replaces") if current else None
    versions = version_folders(settings)
    versions = sorted(versions[:-1], key=lambda v: (v.name == replaced, v.name)) + versions[-1:]
    old = versions[: max(0, len(versions) - max(1, keep_versions))]
    removed = [v for v in old if v.resolve() != current]
    for version in removed:
        remove_folder(version)
    finish_removals(settings.versions_dir)
    return [v.name for v in removed]


def remove_unpublished(settings: Settings, known: set[str]) -> list[str]:
    """Remove versions that were renamed into place but never linked, as a kill between the two steps leaves them.

    A version is one of those when it is newer than the published one and no refresh of that id is `known` to have been
    published (a rolled-back version is newer too, and known).
    """
    current = published_version(settings)
    doomed = [
        v for v in version_folders(settings) if (current is None or v.name > current.name) and v.name not in known
    ]
    for version in doomed:
        remove_folder(version)
    return [v.name for v in doomed]


def rollback(settings: Settings) -> tuple[str, str]:
    """Point the link at the version that was published before the present one; returns (from, to).

    Repeated, it goes further back. A version that was rolled back is not returned to by a later rollback.

    Raises:
        NothingToRollBackTo: nothing is published, the version before is not kept, or there was none.
    """
    current = published_version(settings)
    if current is None:
        raise NothingToRollBackTo(
            f"{settings.published_link}: nothing is published, so there is nothing to go back from"
        )
    kept = {v.name: v for v in version_folders(settings)}
    replaced = read_manifest(current).get("replaces")
    if replaced is not None and replaced not in kept:
        raise NothingToRollBackTo(f"{current.name} replaced {replaced}, which is not kept in {settings.versions_dir}")
    # Of what replaced nothing, or does not say what, the newest before it.
    target = replaced or max((name for name in kept if name < current.name), default=None)
    if target is None:
        raise NothingToRollBackTo(f"{current.name} is the oldest version kept in {settings.versions_dir}")
    switch_link(settings.published_link, kept[target])
    return current.name, target
