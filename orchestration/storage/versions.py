"""Published versions as they lie in their folders: which there are, which one readers see, what each says of itself.

Belongs here: reading. Does not belong here: making a version, switching the link (publication/publish.py).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orchestration.settings import Settings

DATABASE_NAME = "segments.duckdb"
MANIFEST_NAME = "manifest.json"
PARQUET_FOLDER = "parquet"
# What was sent to whom, and what is said of it.
AUDIENCES_FOLDER = "audiences"
SUMMARY_NAME = "summary.json"


def version_folders(settings: Settings) -> list[Path]:
    """Complete versions, oldest first; ids sort by time."""
    if not settings.versions_dir.is_dir():
        return []
    # A leading dot: on its way out (files.remove_folder).
    return sorted(
        p for p in settings.versions_dir.iterdir() if not p.name.startswith(".") and (p / MANIFEST_NAME).is_file()
    )


def published_version(settings: Settings) -> Path | None:
    """The folder that the link points at, or None where nothing is published."""
    link = settings.published_link
    return link.resolve() if link.is_symlink() and link.exists() else None


def read_manifest(version: Path) -> dict[str, Any]:
    """manifest.json of a version."""
    manifest: dict[str, Any] = json.loads((version / MANIFEST_NAME).read_text(encoding="utf-8"))
    return manifest


def is_demo_version(version: Path) -> bool:
    """Whether a version describes the demo data, as its export says; a version without an export does not."""
    return bool(_told_of_demo(version))


def demo_over_shop(settings: Settings) -> str | None:
    """What to say where a command is about to read the demo beside, or to publish it over, what was published of
    somebody's own data; None where it is not. A version without an export is nobody's."""
    version = published_version(settings)
    if version is None or settings.source_dir != settings.demo_dir or _told_of_demo(version) is not False:
        return None
    return (
        f"what is published in {settings.warehouse_dir} is not the demo's, which is read here: give LANDING_DIR (or "
        "MAPPING), as for its refresh"
    )


def _told_of_demo(version: Path) -> bool | None:
    """What a version's export says of that; None where there is no export, or none that can be read."""
    try:
        return bool(json.loads((version / AUDIENCES_FOLDER / SUMMARY_NAME).read_text(encoding="utf-8"))["is_demo"])
    except (OSError, ValueError, KeyError):
        return None
