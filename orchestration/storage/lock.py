"""One refresh at a time in a warehouse folder.

Belongs here: taking, holding and naming the holder of `refresh.lock`.
Does not belong here: what is done while it is held.

The lock is the operating system's (`flock`), so it ends with the process that holds it, however that ends; the text
inside the file only says who holds it. A file left behind by a killed process is no obstacle.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

# Paths that this process holds, so that a step inside a refresh may ask for the lock that the refresh has taken.
_held: set[Path] = set()


class LockHeld(RuntimeError):
    """Another process holds the lock; the text names its pid, host and start."""


def read_holder(lock_file: Path) -> dict[str, str]:
    """Who wrote the lock file last: `pid`, `process_start` (where the system tells it), `host`, `started_at`,
    `purpose`; empty when unreadable."""
    try:
        holder = json.loads(lock_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in holder.items()} if isinstance(holder, dict) else {}


def is_held(lock_file: Path) -> bool:
    """Whether a process on this machine holds the lock: this one too.

    Read from the text of the file: trying the lock would, for a moment, keep a real refresh out.
    """
    holder = read_holder(lock_file)
    if holder.get("host") != socket.gethostname():
        return False
    try:
        os.kill(int(holder["pid"]), 0)
    except (KeyError, ValueError, OverflowError, ProcessLookupError):
        return False
    except PermissionError:
        # Somebody else's process, and there is one.
        pass
    # After a restart of the machine or container another process may have that number.
    started = process_start(int(holder["pid"]))
    return started is None or holder.get("process_start", started) == started


def process_start(pid: int) -> str | None:
    """When a process started, in the kernel's ticks; None where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        # Behind the name, which may hold blanks and brackets: the 22nd field of all.
        return text.rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


@contextmanager
def refresh_lock(lock_file: Path, purpose: str = "refresh") -> Iterator[None]:
    """Hold the lock for the length of the block; at once, or not at all.

    Within one process the lock is re-entrant: the inner block changes nothing.

    Raises:
        LockHeld: another process holds it.
    """
    path = lock_file.resolve()
    if path in _held:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not inherited by children: a child that outlives a killed refresh must not keep the next one out.
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockHeld(_refusal(path)) from None
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "purpose": purpose,
        }
        started = process_start(os.getpid())
        if started is not None:
            holder["process_start"] = started
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(holder).encode(), 0)
        _held.add(path)
        try:
            yield
        finally:
            _held.discard(path)
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _refusal(path: Path) -> str:
    holder = read_holder(path)
    who = (
        f"process {holder.get('pid', '?')} on {holder.get('host', '?')}, since {holder.get('started_at', '?')}"
        f" ({holder.get('purpose', 'refresh')})"
        if holder
        else "another process"
    )
    return f"{path.parent} is in use by {who}; nothing was changed"
