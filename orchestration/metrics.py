"""`make metrics`: MetricFlow's `mf` on what is published, read-only.

Belongs here: a place for dbt's parse that is not the refresh's, and `mf` in it.
Does not belong here: what metrics are (models/marts/semantic/).

MetricFlow reads the manifest from `target/` of the folder it runs in, and refreshes keep theirs there, of another one.
So it runs in a folder of links to the project, below dbt's target folder, whose parse is of the target `published`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from orchestration.settings import PROJECT_DIR, Settings, SettingsError, read_settings
from orchestration.storage.versions import DATABASE_NAME
from orchestration.warehouse.project import fingerprint, target_dir

TARGET = "published"
# What dbt reads of a project. The seeds are the shipped ones: no seed decides which tables there are.
LINKED = ("dbt_project.yml", "profiles", "models", "macros", "seeds", "tests")
NOTE = "parsed.fingerprint"
# `mf` as its console script starts it, but without asking a server on the internet for a newer version at every start.
MF = """
import update_checker
update_checker.UpdateChecker.check = lambda *a, **k: None
from dbt_metricflow.cli.main import cli
cli()
"""


class MetricsError(RuntimeError):
    """Metrics cannot be asked; the text says what to do."""


def prepare(settings: Settings, folder: Path) -> dict[str, str]:
    """Make the project folder for `mf`, parsed, where it is missing or the project has changed.

    Args:
        folder: where; made if missing.

    Returns:
        The environment of `mf` in it.

    Raises:
        MetricsError: nothing is published, or dbt cannot parse the project.
    """
    database = settings.published_link / DATABASE_NAME
    if not database.is_file():
        raise MetricsError(f"{database}: nothing is published there; run `make refresh` first, or set WAREHOUSE_DIR")
    variables = {
        **os.environ,
        **settings.environment(),
        "SEEDS_PATH": "",
        "DBT_TARGET": TARGET,
        "DBT_PROJECT_DIR": str(folder),
        "DBT_PROFILES_DIR": str(folder / "profiles"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "PYTHONPATH": os.pathsep.join([str(PROJECT_DIR), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    variables.pop("DBT_TARGET_PATH", None)
    folder.mkdir(parents=True, exist_ok=True)
    for name in LINKED:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(PROJECT_DIR / name)
    noted, wanted = folder / NOTE, fingerprint(settings)
    if not noted.is_file() or noted.read_text() != wanted:
        noted.unlink(missing_ok=True)
        parsed = subprocess.run(
            [sys.executable, "-m", "dbt.cli.main", "parse", "--quiet"],
            cwd=folder,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        if parsed.returncode != 0:
            raise MetricsError(f"dbt cannot parse the project:\n{(parsed.stdout + parsed.stderr).strip()}")
        noted.write_text(wanted)
    return variables


def main(arguments: Sequence[str]) -> int:
    """Run `mf` with these arguments; its exit code, or 2 where it cannot be run."""
    try:
        folder = target_dir() / "metrics"
        variables = prepare(read_settings(), folder)
    except (MetricsError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 2
    return subprocess.run(
        [sys.executable, "-c", MF, *(arguments or ["list", "metrics"])], cwd=folder, env=variables, check=False
    ).returncode
