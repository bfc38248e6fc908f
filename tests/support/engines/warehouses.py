"""Refreshes of one landing zone on one engine, each a process of its own.

Belongs here: what a refresh of an engine runs with. Does not belong here: landing zones, what is compared.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import project
from tests.support.engines.comparison import Published

TIMEOUT_SECONDS = 3600


@dataclass
class Warehouse:
    """A warehouse folder of one engine. `landing_dir` None is the demo. `seconds` are those of its refreshes."""

    folder: Path
    landing_dir: Path | None
    engine: str
    variables: Mapping[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """What a refresh of it runs with."""
        home = self.folder.parent / f"{self.folder.name}-dagster"
        if not home.is_dir():
            home.mkdir(parents=True)
            shutil.copy(project.ROOT / ".dagster_home" / "dagster.yaml", home)
        landing = {"LANDING_DIR": str(self.landing_dir)} if self.landing_dir else {"SEEDS_DIR": ""}
        given = {"DAGSTER_HOME": str(home), "DBT_TARGET": self.engine, "GX_ANALYTICS_ENABLED": "false"}
        target = self.folder.parent / f"{self.folder.name}-target"
        return project.environment(self.folder, target, {**given, **landing, **self.variables})

    def run(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """A refresh from beginning to end, whatever comes of it."""
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "orchestration", "refresh"],
            cwd=project.ROOT,
            env=self.environment() | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        self.seconds.append(round(time.monotonic() - began, 1))
        return done

    def refresh(self, **variables: str) -> Published:
        """A refresh; returns the version it published.

        Raises:
            AssertionError: nothing was published; the text is the end of what was printed, and of the log.
        """
        done = self.run(**variables)
        assert done.returncode == 0, (
            f"the refresh on {self.engine} failed:\n{done.stdout[-4000:]}\n{self._log()[-4000:]}"
        )
        return Published((self.folder / "published").resolve())

    def manifest(self) -> dict[str, object]:
        """manifest.json of the published version."""
        found: dict[str, object] = json.loads((self.folder / "published" / "manifest.json").read_text(encoding="utf-8"))
        return found

    def _log(self) -> str:
        logs = sorted((self.folder / "logs").glob("*.log"))
        return logs[-1].read_text(encoding="utf-8", errors="replace") if logs else ""
