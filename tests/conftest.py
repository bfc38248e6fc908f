"""Fixtures that the whole test session shares."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from tests.support import growing_zone, project

# Where a developer publishes: no test may reach it, in this process or in another.
for name in ("AUDIENCE_TARGET", "PUBLISH_POSTGRES_DSN", "PUBLISH_POSTGRES_SCHEMA"):
    os.environ.pop(name, None)
# Folders of tests that are all `slow`.
SLOW = ("engines", "faults", "browser", "clients")
# A warehouse folder with a finished demo refresh, to try a test again without building. Unset: the session builds one.
DEMO_WAREHOUSE = "DEMO_WAREHOUSE"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks all tests of the folders in SLOW."""
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in SLOW:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def demo_refresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse folder after one refresh of the demo data: dbt's database in build/, the version in published/.

    One for the whole session, whatever the number of its processes; never written to by a test.
    """
    given = os.environ.get(DEMO_WAREHOUSE)
    if given:
        return Path(given).resolve()
    base = tmp_path_factory.getbasetemp()
    # Of several processes, each has a folder of its own in the session's.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo"
    with FileLock(folder.with_suffix(".lock")):
        if not folder.is_dir():
            _refresh_demo(folder / "warehouse")
    assert (folder / "warehouse" / "published").exists(), "the demo refresh failed in another process"
    return folder / "warehouse"


def _refresh_demo(warehouse: Path) -> None:
    dagster_home = warehouse.parent / "dagster"
    dagster_home.mkdir(parents=True)
    shutil.copy(project.ROOT / ".dagster_home" / "dagster.yaml", dagster_home)
    variables = {"DAGSTER_HOME": str(dagster_home), "GX_ANALYTICS_ENABLED": "false", "SEEDS_DIR": ""}
    done = subprocess.run(
        [sys.executable, "-m", "orchestration", "refresh"],
        cwd=project.ROOT,
        env=project.environment(warehouse, warehouse / "dbt-target", variables),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"the demo refresh failed:\n{(done.stdout + done.stderr)[-6000:]}"


@pytest.fixture(scope="session")
def demo_build(demo_refresh: Path) -> project.Build:
    """dbt's database of the demo refresh, to be read."""
    return project.Build(demo_refresh, demo_refresh / "dbt-target", "")


@pytest.fixture(scope="session")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> growing_zone.TwoDays:
    """A small generated warehouse refreshed twice, before and after a day that brings every kind of change.

    One for the whole session, never written to by a test: take copies.
    """
    return growing_zone.refresh_two_days(tmp_path_factory.mktemp("two_days"))
