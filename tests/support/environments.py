"""Environments of the clients' own, so that what they need never meets what the project needs.

Belongs here: installing a client once, into a folder that later runs find again.
Does not belong here: what the client does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from tests.support import project

# Where they are kept; another folder where `.venv` is shared or read-only.
CLIENTS_DIR = "CLIENTS_DIR"


def clients_dir() -> Path:
    """The folder of all of them."""
    return Path(os.environ.get(CLIENTS_DIR, "") or project.ROOT / ".venv" / "clients")


def installed(name: str, *requirements: str, with_dependencies: bool = True) -> Path:
    """The folder of Python packages called `name`, installed from the registry where it is not there yet.

    The folder appears whole, so that one that was left half-way is no client. Name it for its requirements: other
    versions are another folder.
    """
    folder = clients_dir() / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not folder.is_dir():
            unfinished = folder.with_name(f".{name}")
            shutil.rmtree(unfinished, ignore_errors=True)
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                    *("--target", str(unfinished)),
                    *([] if with_dependencies else ["--no-deps"]),
                    *requirements,
                ],
                capture_output=True,
                text=True,
                timeout=600,
                check=False,
            )
            assert done.returncode == 0, f"{requirements} cannot be installed:\n{done.stderr[-3000:]}"
            unfinished.rename(folder)
    return folder


def environment(packages: Path) -> dict[str, str]:
    """Variables of a child process that finds these packages before the project's."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**kept, "PYTHONPATH": str(packages), "PYTHONNOUSERSITE": "1"}
