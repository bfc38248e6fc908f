"""What a benchmark needs of the machine: one piece of work in a process of its own, with its CPU seconds and peak memory.

Belongs here: starting and measuring. Does not belong here: what is compared.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BUILD = ("build", "--exclude-resource-type", "test", "unit_test")


@dataclass(frozen=True)
class Cost:
    """CPU and wall seconds of the work itself; megabytes that the process held beyond what it held before the work."""

    cpu: float
    wall: float
    memory: float


def _work(task: Callable[..., Any], arguments: tuple[Any, ...], answer: Any) -> None:
    try:
        before = resource.getrusage(resource.RUSAGE_SELF)
        cpu, wall = time.process_time(), time.perf_counter()
        result = task(*arguments)
        cost = Cost(
            time.process_time() - cpu,
            time.perf_counter() - wall,
            (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before.ru_maxrss) / 1024,
        )
        answer.send((result, cost))
    except BaseException as error:  # the parent tells it
        answer.send((error, None))


def measured(task: Callable[..., Any], *arguments: Any) -> tuple[Any, Cost]:
    """`task(*arguments)` in a new process, and what it cost. The task must be a function of a module.

    Raises:
        BaseException: what the task raised.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(task, arguments, sender))
    process.start()
    result, cost = receiver.recv()
    process.join()
    if cost is None:
        raise result
    return result, cost


def dbt(warehouse: Path, *arguments: str, **variables: str) -> None:
    """dbt on the demo data, in the project's own environment, into `warehouse`.

    Raises:
        RuntimeError: dbt failed; the text is the end of what it printed.
    """
    warehouse.mkdir(parents=True, exist_ok=True)
    inherited = {k: v for k, v in os.environ.items() if k not in ("LANDING_DIR", "AS_OF", "STORE_TIMEZONE", "DBT_TARGET")}
    done = subprocess.run(
        [os.environ.get("PROJECT_PYTHON", str(ROOT / ".venv/bin/python")), "-m", "dbt.cli.main", "--quiet", *arguments],
        cwd=ROOT,
        env=inherited
        | {
            "WAREHOUSE_DIR": str(warehouse),
            "DBT_TARGET_PATH": str(warehouse / "target"),
            "DBT_LOG_PATH": str(warehouse / "logs"),
            "DBT_PROFILES_DIR": str(ROOT / "profiles"),
            "DO_NOT_TRACK": "1",
        }
        | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"dbt {' '.join(arguments)} failed:\n{(done.stdout + done.stderr)[-4000:]}")


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows of text as columns of equal width, with a header."""
    names = list(rows[0])
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in names}
    lines = [names, *([row[name] for name in names] for row in rows)]
    return "\n".join(
        "  ".join(value.ljust(widths[name]) for name, value in zip(names, line, strict=True)).rstrip() for line in lines
    )
