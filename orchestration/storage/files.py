"""Small file operations that publication relies on: each leaves either the old or the new state, never half of one."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

READ_ONLY = 0o444
REMOVED = ".removed."


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Bring a file or folder to the disk before anything points at it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def seal(folder: Path) -> None:
    """Every file in the folder read-only and on the disk; folders stay writable, so that versions can be removed."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            path.chmod(READ_ONLY)
            sync(path)
    for path in sorted(p for p in folder.rglob("*") if p.is_dir()):
        sync(path)
    sync(folder)


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file's content at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(data)
    sync(beside)
    os.replace(beside, path)
    sync(path.parent)


def switch_link(link: Path, target: Path) -> None:
    """Point `link` at `target` in one step: a reader sees the old target or the new one.

    The link is relative, so that a warehouse folder can be moved or mounted elsewhere.

    Raises:
        FileExistsError: `link` is a real file or folder.
    """
    if link.exists() and not link.is_symlink():
        raise FileExistsError(f"{link} is not a link; move it away first")
    beside = link.with_name(f".{link.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    beside.symlink_to(os.path.relpath(target, link.parent), target_is_directory=True)
    os.replace(beside, link)
    sync(link.parent)


def remove_folder(folder: Path) -> None:
    """Remove a folder: first out of sight under another name, so that nobody finds half of it."""
    if not folder.exists():
        return
    gone = folder.with_name(f"{REMOVED}{folder.name}.{os.getpid()}")
    os.replace(folder, gone)
    shutil.rmtree(gone, ignore_errors=True)


def finish_removals(parent: Path) -> None:
    """Remove what a stop in the middle of `remove_folder` left behind."""
    for gone in sorted(parent.glob(f"{REMOVED}*")):
        shutil.rmtree(gone, ignore_errors=True)
