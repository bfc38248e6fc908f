"""What a benchmark needs of the machine: work in a process of its own, with its CPU seconds and peak memory.

Belongs here: starting and measuring. Does not belong here: what is compared.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BUILD = ("build", "--exclude-resource-type", "test", "unit_test")


@dataclass(frozen=True)
class Cost:
    """CPU and wall seconds of the work itself; megabytes at its peak beyond what the process held before."""

    cpu: float
    wall: float
    memory: float


def _memory(name: str, pid: int | str = "self") -> float:
    """Megabytes of a process by a name of /proc/<pid>/status: VmRSS now, VmHWM at most."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    # A process that has ended, and was not asked for its exit code yet, has no memory.
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0) / 1024


def _child_processes() -> list[int]:
    """Processes that this one started, and theirs, e.g. a Java machine."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        except OSError:  # it ended in between
            continue
    found: list[int] = []
    nexts = [os.getpid()]
    while nexts:
        nexts = [pid for pid, parent in parents.items() if parent in nexts]
        found += nexts
    return found


def _cpu(pid: int) -> float:
    """CPU seconds of a process, in user and kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cost_with_children(task: Callable[..., Any], *arguments: Any) -> tuple[Any, Cost]:
    """As `cost_of`, with the processes that are children of this one before the task starts and while it runs."""
    pids = [pid for pid in _child_processes() if _memory("VmRSS", pid)]
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    before = {pid: (_cpu(pid), _memory("VmRSS", pid)) for pid in pids}
    result, own = cost_of(task, *arguments)
    alive = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    cpu = sum(_cpu(pid) - before[pid][0] for pid in alive)
    memory = sum(_memory("VmHWM", pid) - before[pid][1] for pid in alive)
    return result, Cost(own.cpu + cpu, own.wall, own.memory + memory)


def cost_of(task: Callable[..., Any], *arguments: Any) -> tuple[Any, Cost]:
    """`task(*arguments)` here, and what it cost. Linux only."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts again from now
    memory = _memory("VmRSS")
    cpu, wall = time.process_time(), time.perf_counter()
    result = task(*arguments)
    return result, Cost(time.process_time() - cpu, time.perf_counter() - wall, _memory("VmHWM") - memory)


class OutOfTime(Exception):
    """The work was stopped at its limit of CPU seconds."""


def _limited_work(limit: int, function: Callable[..., Any], arguments: tuple[Any, ...], answer: Any) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))  # a C loop cannot be asked, only ended
    _work(function, arguments, answer)


def _work(function: Callable[..., Any], arguments: tuple[Any, ...], answer: Any) -> None:
    try:
        answer.send((function(*arguments), None))
    except BaseException as error:  # the parent tells it
        answer.send((None, error))


def in_own_process(function: Callable[..., Any], *arguments: Any, cpu_limit: float | None = None) -> Any:
    """`function(*arguments)` in a new process. It must be a function of a module.

    Args:
        cpu_limit: CPU seconds after which it is ended, its start-up included.

    Raises:
        OutOfTime: it was ended at its limit.
        BaseException: what the function raised.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    if cpu_limit is None:
        process = context.Process(target=_work, args=(function, arguments, sender))
    else:
        process = context.Process(target=_limited_work, args=(int(cpu_limit) + 1, function, arguments, sender))
    process.start()
    sender.close()  # so that the end of the process is the end of the pipe
    try:
        result, error = receiver.recv()
    except EOFError:
        process.join()
        if process.exitcode == -signal.SIGXCPU:
            raise OutOfTime from None
        raise RuntimeError(f"{function.__name__} ended with exit code {process.exitcode}") from None
    process.join()
    if error is not None:
        raise error
    return result


def dbt(warehouse: Path, *arguments: str, **variables: str) -> None:
    """dbt on the demo data, in the project's own environment, into `warehouse`.

    Raises:
        RuntimeError: dbt failed; the text is the end of what it printed.
    """
    warehouse.mkdir(parents=True, exist_ok=True)
    inherited = {
        k: v for k, v in os.environ.items() if k not in ("LANDING_DIR", "AS_OF", "STORE_TIMEZONE", "DBT_TARGET")
    }
    own = ROOT / ".venv" / "bin" / "python"
    python = os.environ.get("PROJECT_PYTHON", "") or (str(own) if own.is_file() else sys.executable)
    done = subprocess.run(
        [python, "-m", "dbt.cli.main", "--quiet", *arguments],
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
