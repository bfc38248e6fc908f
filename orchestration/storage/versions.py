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
