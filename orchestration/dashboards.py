"""The dashboard of dashboards/superset as an archive that Superset imports: `python -m orchestration dashboard`.

Belongs here: putting the published file's place into the archive. Does not belong here: what the charts show
(dashboards/superset/, in Superset's own export format), how it is imported (docs/bi/superset.md).
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from orchestration.settings import PROJECT_DIR, read_settings
from orchestration.storage.versions import DATABASE_NAME

SUPERSET = PROJECT_DIR / "dashboards" / "superset"
PLACE = "PUBLISHED_FILE"
ARCHIVE = "segments-in-superset.zip"


def write_archive(target: Path, database: Path) -> Path:
    """Write the archive, whose charts read the file `database`; returns the archive."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(SUPERSET.rglob("*.yaml")):
            text = path.read_text(encoding="utf-8").replace(PLACE, str(database))
            archive.writestr(f"segments/{path.relative_to(SUPERSET).as_posix()}", text)
    return target


def main(arguments: Sequence[str]) -> int:
    """Write the archive to the file named, by default into the present folder, and say where it is."""
    target = Path(arguments[0] if arguments else ARCHIVE)
    # The link, not what it points at: a version is removed one day.
    print(write_archive(target, read_settings().published_link / DATABASE_NAME))
    return 0
