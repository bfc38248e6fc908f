"""How much memory a refresh may take, and where DuckDB works beyond it.

Belongs here: the setting `memory_limit`, what the machine or its control group has, DuckDB connections that keep to it,
the folder for what does not fit, and noticing that it was used.
Does not belong here: how much a disk holds (disk.py), Spark's memory (profiles/profiles.yml, docs/spark.md).

The setting is for the whole refresh. dbt runs in a process of its own while the refresh waits, and each process keeps
back what Python itself takes; connections of one process that are open at once share the rest.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.settings import Settings, SettingsError

if TYPE_CHECKING:
    import duckdb

# The environment variable; it goes before the var of dbt_project.yml and SETTINGS.
MEMORY_LIMIT = "MEMORY_LIMIT"
VAR = "memory_limit"
DEFAULT = "60%"
# What is taken beside what DuckDB counts: by the refresh 0.5 GB while it waits for dbt, by dbt 0.2,
# and by DuckDB 0.3; measured on one and three million lines (docs/benchmarks.md).
PYTHON_BYTES = 1_000_000_000
# DuckDB gives what it freed back at its own thresholds, 128 and 512 MB: enough to hold 1.4 GB more than it was allowed
# while it throws cached tables out for a large `group by`. At these it was 0.3 GB, in the same time
# (docs/benchmarks.md).
_ALLOCATOR = {"allocator_flush_threshold": "32MB", "allocator_bulk_deallocation_flush_threshold": "32MB"}
# DuckDB's part at least, in bytes: below it, models of even a small shop cannot be built.
LEAST_BYTES = 500_000_000
SPILL = "spill-"

_UNITS = {"": 1, "b": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY_UNITS = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:(%)|([kmgt]?)(i?)b?)", re.IGNORECASE)


@dataclass(frozen=True)
class Machine:
    """Bytes of memory that this process can have, and whose they are: `the machine` or `the control group`."""

    size: int
    whose: str


@dataclass(frozen=True)
class Limit:
    """Bytes for the whole refresh, DuckDB's part of them, and the setting in words."""

    size: int
    duckdb: int
    words: str


def machine(root: Path = Path("/")) -> Machine:
    """What the machine has, or its control group where that is less (version 2, and the older one).

    Args:
        root: where /proc and /sys are.
    """
    found = [Machine(_physical(root), "the machine")]
    found += [Machine(size, "the control group") for size in _group_limits(root)]
    known = [each for each in found if each.size > 0]
    # A machine that tells nothing: DuckDB knows its memory in ways of its own, and takes 80 % of it.
    return min(known, key=lambda each: each.size) if known else Machine(0, "the machine")


def _physical(root: Path) -> int:
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = (root / "proc" / "meminfo").read_text(encoding="ascii").splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("MemTotal:"))) * 1024
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 0


def _group_limits(root: Path) -> list[int]:
    """Limits of this process's control group and of all that hold it; `max` is none."""
    found = []
    for folder, name in _group_folders(root):
        with contextlib.suppress(OSError, ValueError):
            found.append(int((folder / name).read_text(encoding="ascii")))
    return found


def _group_folders(root: Path) -> list[tuple[Path, str]]:
    mounted = root / "sys" / "fs" / "cgroup"
    # In a container the group is mounted as if it were the whole tree, whatever its path outside is.
    found = [(mounted, "memory.max"), (mounted / "memory", "memory.limit_in_bytes")]
    with contextlib.suppress(OSError):
        for line in (root / "proc" / "self" / "cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "":
                top, name = mounted, "memory.max"
            elif "memory" in controllers.split(","):
                top, name = mounted / "memory", "memory.limit_in_bytes"
            else:
                continue
            parts = [part for part in path.split("/") if part not in ("", "..")]
            found += [(top.joinpath(*parts[:n]), name) for n in range(1, len(parts) + 1)]
    return found


def limit(text: str, available: Machine) -> Limit:
    """The setting as bytes: a share (`60%`) of what is there, or a size (`8 GB`, `8GiB`).

    Raises:
        SettingsError: it is neither, nothing, or more than there is; the text says what is needed.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise SettingsError(f"{VAR}={text}: a share such as 60% or a size such as 8 GB is needed")
    number, share, unit, binary = match.groups()
    if share:
        if not 0 < float(number) <= 100:
            raise SettingsError(f"{VAR}={text}: a share above 0 and up to 100 % is needed")
        size = int(available.size * float(number) / 100)
        words = f"{size / 1e9:.1f} GB ({float(number):g} % of what {available.whose} has)"
    else:
        units = _BINARY_UNITS if binary else _UNITS
        size = int(float(number) * units.get(unit.lower(), 1))
        words = f"{size / 1e9:.1f} GB"
        if available.size and size > available.size:
            raise SettingsError(
                f"{VAR}={text}: {available.whose} has {available.size / 1e9:.1f} GB; a size below that is needed, or a "
                f"share such as {DEFAULT}"
            )
    if size and size < LEAST_BYTES + PYTHON_BYTES:
        # A small machine: DuckDB is left half of it, and Python may have to go beyond the limit.
        if not share:
            raise SettingsError(
                f"{VAR}={text}: {(LEAST_BYTES + PYTHON_BYTES) / 1e9:.1f} GB at least are needed, of which Python takes "
                f"{PYTHON_BYTES / 1e9:.1f}"
            )
        return Limit(size, max(LEAST_BYTES, size // 2), words)
    return Limit(size, size - PYTHON_BYTES if size else 0, words)


# The warehouse folder of this process, once it is known.
_warehouse: Path | None = None


def hold(settings: Settings, held: Mapping[str, Any]) -> Limit:
    """The limit that holds, remembered for every connection and child process that comes after.

    Args:
        held: the vars that hold (warehouse.project.project_vars).

    Raises:
        SettingsError: the setting cannot be used.
    """
    global _warehouse
    text = os.environ.get(MEMORY_LIMIT, "").strip() or str(held.get(VAR) or DEFAULT)
    found = limit(text, machine())
    os.environ[MEMORY_LIMIT] = text
    _warehouse = settings.warehouse_dir
    return found


def current() -> Limit:
    """The limit of this process: that of `hold`, of its parent, or the default."""
    return limit(os.environ.get(MEMORY_LIMIT, "").strip() or DEFAULT, machine())


# ---- DuckDB ---------------------------------------------------------------------------------------------------------

_open: weakref.WeakSet[duckdb.DuckDBPyConnection] = weakref.WeakSet()


def connect(
    database: Path | str = ":memory:", warehouse: Path | None = None, *, read_only: bool = False
) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection that keeps to the limit, and works in the warehouse folder beyond it.

    Args:
        warehouse: the warehouse folder; by default that of `hold`, and without one DuckDB chooses a folder itself.
    """
    import duckdb

    con = duckdb.connect(str(database), read_only=read_only)
    keep(con, warehouse)
    return con


def options() -> dict[str, str]:
    """The same as DuckDB's own options, for connections that another package opens while no other is open."""
    size = current().duckdb
    found = {"memory_limit": f"{size} bytes", **_ALLOCATOR} if size else {}
    return {**found, "temp_directory": str(spill_folder(_warehouse))} if _warehouse is not None else found


def keep(con: duckdb.DuckDBPyConnection, warehouse: Path | None = None) -> None:
    """Hold an open connection to the limit; those of this process that are open at once share it."""
    folder = warehouse or _warehouse
    if folder is not None:
        # DuckDB makes the folder when it needs it, and removes it in the end.
        quoted = str(spill_folder(folder)).replace("'", "''")
        con.execute(f"set temp_directory = '{quoted}'")
    size = current().duckdb
    if not size:
        return
    for name, value in _ALLOCATOR.items():
        con.execute(f"set {name} = '{value}'")
    # On cursors: a connection's own last result may still be waiting to be fetched.
    handles = {}
    for each in {*_open, con}:
        with contextlib.suppress(Exception):
            handles[each] = each.cursor()
    _open.clear()
    for each, handle in handles.items():
        _open.add(each)
        # One that just works on more than its new share keeps it until that query has ended.
        with contextlib.suppress(Exception):
            handle.execute(f"set memory_limit = '{size // len(handles)} bytes'")
        handle.close()


# ---- what does not fit ----------------------------------------------------------------------------------------------


def spill_folder(warehouse: Path) -> Path:
    """Where this process works on disk: DuckDB names its files alike in all processes, so each has a folder."""
    return warehouse / f"{SPILL}{os.getpid()}"


def clean(warehouse: Path) -> None:
    """Remove what processes that are no more have left there."""
    for folder in warehouse.glob(f"{SPILL}*"):
        if not _is_running(folder.name.removeprefix(SPILL)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_running(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


class Spilled:
    """Watches these folders for as long as a block lasts: how much was there at most."""

    SECONDS = 0.5

    def __init__(self, settings: Settings, held: Limit) -> None:
        self._warehouse, self._held = settings.warehouse_dir, held
        self._most: int | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="spill", daemon=True)

    def __enter__(self) -> Spilled:
        clean(self._warehouse)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        clean(self._warehouse)

    def told(self) -> str:
        """A sentence; empty where everything fitted."""
        self._look()
        if self._most is None:
            return ""
        most = f", on {self._most / 1e9:.2g} GB at most" if self._most else ""
        return (
            f"worked on disk{most}, because memory is limited to {self._held.words}: a higher {VAR} makes it faster "
            "(docs/benchmarks.md)"
        )

    def _watch(self) -> None:
        while not self._over.wait(self.SECONDS):
            self._look()

    def _look(self) -> None:
        # A folder stays until its connection is closed, also where the files in it came and went between two looks.
        folders = list(self._warehouse.glob(f"{SPILL}*"))
        size = 0
        for path in (path for folder in folders for path in folder.glob("*")):
            with contextlib.suppress(OSError):
                # Blocks on disk: there are holes in the files, which take no room.
                size += path.stat().st_blocks * 512
        if folders:
            self._most = max(self._most or 0, size)
